import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { realFileSystem } from '@tandem/storage/json';
import {
  create,
  expense,
  openDualStores,
  startTcpProxy,
  until,
  valuesOf,
} from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { apiProcessOver } from '../testing/api-process-over.ts';
import { readinessReport } from './readiness-report.ts';

const DRAIN_TIMEOUT_MS = 5_000;
const MOVE = { actor: 'test', reason: 'the test asks', evidence: {} };

/** What another process that serves has, for as long as it lives. */
async function otherMark(directory: string): Promise<void> {
  const folder = join(directory, '.tandem/serving');
  mkdirSync(folder, { recursive: true });
  const lock = await realFileSystem.lock(join(folder, '1'));
  onTestFinished(() => lock?.release());
}

test.for([
  ['nothing, as another may have the answer', 'happened', 'postgres-primary'],
  ['reads', 'did not happen', 'json-primary'],
] as const)(
  'I3, I6: started with a commit without an answer and no PostgreSQL, the api serves %s, refuses writes, and goes on when the answer is that it %s',
  async ([serves, , phase]) => {
    const dual = await openDualStores('json-primary');
    onTestFinished(() => dual.drop());
    const { json, store: postgres, directory } = dual;
    const { id } = await create(json);
    await dual.replicated();
    const committing = { attempt: randomUUID(), epoch: 3, phase: 'postgres-primary' as const };
    await json.phase.update({ sealed: true, committing });
    if (phase === 'postgres-primary') await postgres.phase.advance(2, committing, MOVE);
    await json.close();

    const isAlone = serves === 'reads';
    if (!isAlone) await otherMark(directory);

    const proxy = await startTcpProxy(dual.url);
    onTestFinished(() => proxy.close());
    proxy.refuse();
    // The environment asked for the switch that was under way.
    const flags = { FF_USE_DATABASE_STORAGE: 'true', FF_DUAL_WRITE_ENABLED: 'true' };
    const api = await apiProcessOver({ url: proxy.url, directory }, flags);
    onTestFinished(() => api.stop(DRAIN_TIMEOUT_MS));
    await api.start();
    const write = () =>
      api.requests.write({ command: { op: 'create', collection: expense, values: valuesOf() } });
    const read = api.requests.get(expense, id);
    if (isAlone) expect(await read).toMatchObject({ id });
    else await expect(read).rejects.toMatchObject({ code: 'unavailable' });
    await expect(write()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/A switch to postgres-primary was being committed/),
    });
    expect(readinessReport(api)).toMatchObject({
      ready: isAlone,
      status: isAlone ? 'degraded' : 'unready',
      phase: { effective: 'json-primary', waitingFor: expect.stringContaining('being committed') },
    });

    proxy.accept();
    const outcome = await until('writes are taken again', () => write().catch(() => undefined));
    expect(outcome).toMatchObject({ kind: 'created' });
    if (phase === 'json-primary') {
      // Undone first; then the environment has its way.
      await until('the switch', () => api.keeper.effective?.phase === 'postgres-primary');
    }
    expect(api.keeper.effective?.phase).toBe('postgres-primary');
    expect(await postgres.get(expense, id)).toMatchObject({ id });
  },
);
