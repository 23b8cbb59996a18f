import type { Item } from '@tandem/storage/changes';
import { recordingLog } from '@tandem/storage/testing';
import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';
import { observing } from './observing.ts';
import type { ProcessFacts } from './standing.ts';

const POOL = { totalCount: 3, idleCount: 2, waitingCount: 1 };
const FACTS: ProcessFacts = {
  ...{ desired: 'json-primary', ready: true, postgresUsable: true, directions: [] },
  pools: { requests: POOL },
};

/** The lines of one metric, without its comments. */
const linesOf = (text: string, name: string): string[] =>
  withoutProcess(text)
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

/** Every line says `process="api"`. */
const withoutProcess = (text: string): string =>
  text.replaceAll(/,process="api"|(?<=\{)process="api",|\{process="api"\}/g, '');

const changeAt = (at: string): Item => ({
  kind: 'change',
  change: {
    ...{ collection: 'expense', id: 5, epoch: 1, version: 1, base: null, op: 'create', at },
    record: '{"notes":"private"}',
  },
});

test('how a process stands is told by one line a state, and what is not known by none', async () => {
  const metrics = createMetrics('api');
  const before = await metrics.text(FACTS);
  for (const name of ['tandem_phase', 'tandem_epoch', 'tandem_verify_age_seconds']) {
    expect(linesOf(before, name)).toEqual([]);
  }
  expect(linesOf(before, 'tandem_postgres_pool_connections')).toEqual([
    'tandem_postgres_pool_connections{pool="requests",state="idle"} 2',
    'tandem_postgres_pool_connections{pool="requests",state="busy"} 1',
  ]);
  const gate = { value: 3, needed: 'none', opensWhen: 'never' };
  const text = await metrics.text({
    ...{ ...FACTS, effective: 'json-only', epoch: 7 },
    gates: { ageSeconds: 2, value: [{ name: 'dead letters', open: false, ...gate }] },
    relay: { state: 'down', cursor: 4, pending: 2 },
    journalWaitSeconds: 60,
  });
  expect(linesOf(text, 'tandem_phase')).toEqual([
    'tandem_phase{phase="json-only"} 1',
    'tandem_phase{phase="json-primary"} 0',
    'tandem_phase{phase="postgres-primary"} 0',
    'tandem_phase{phase="postgres-only"} 0',
  ]);
  expect(linesOf(text, 'tandem_epoch')).toEqual(['tandem_epoch 7']);
  expect(linesOf(text, 'tandem_gate_open')).toEqual(['tandem_gate_open{gate="dead letters"} 0']);
  expect(linesOf(text, 'tandem_journal_backlog_changes')).toEqual([
    'tandem_journal_backlog_changes 2',
  ]);
  const [age] = linesOf(text, 'tandem_journal_backlog_seconds');
  expect(Number(age?.split(' ')[1])).toBeGreaterThanOrEqual(60);
  // What has gone again is not told any more.
  expect(linesOf(await metrics.text(FACTS), 'tandem_epoch')).toEqual([]);
});

test('work is counted with a few labels, and nothing of a record is among them', async () => {
  const metrics = createMetrics('api');
  const { observer } = metrics;
  const span = { startedMs: 0, endedMs: performance.now() };
  observer.committed({ store: 'json', items: 3, written: 3, bytes: 700, traces: [], ...span });
  observer.committed({ store: 'postgres', items: 9, written: 9, bytes: 0, traces: [], ...span });
  observer.relayed({ items: [changeAt('2025-12-07T10:00:00.000Z')], ...span });
  const applied = { item: changeAt(new Date().toISOString()), end: 'applied' } as const;
  const hopeless = { item: undefined, end: 'hopeless' } as const;
  observer.applied({ direction: 'postgres', jobs: [applied, hopeless], ...span });
  observer.failed({ direction: 'postgres', cause: 'rejected', isDeadLetter: true });
  metrics.requests.wrote({ collection: 'expense', op: 'create', outcome: 'created' });
  const text = await metrics.text(FACTS);
  for (const line of [
    'tandem_journal_batch_items_sum 3',
    'tandem_journal_written_bytes_total 700',
    'tandem_postgres_batch_writes_sum 9',
    'tandem_relayed_total 1',
    'tandem_secondary_writes_total{direction="postgres",end="applied"} 1',
    'tandem_secondary_failures_total{direction="postgres",cause="rejected",end="dead_lettered"} 1',
    'tandem_replication_lag_seconds_count{direction="postgres"} 1',
    'tandem_writes_total{collection="expense",op="create",outcome="created"} 1',
  ]) {
    expect(withoutProcess(text).split('\n')).toContain(line);
  }
  expect(text).not.toContain('private');
});

test('what is worth an alert is counted from 0 on, so that its first event shows', async () => {
  const text = withoutProcess(await createMetrics('api', ['expense']).text(FACTS));
  for (const line of [
    'tandem_writes_total{collection="expense",op="create",outcome="storage-full"} 0',
    'tandem_shadow_reads_total{collection="expense",op="page",end="mismatch"} 0',
    'tandem_refused_authentications_total{kind="unknown"} 0',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('I5: an observer that fails is logged once and fails nothing', () => {
  const log = recordingLog();
  const heard: string[] = [];
  const ignore = () => {};
  const silent = {
    relayed: ignore,
    applied: ignore,
    failed: ignore,
    shadowRead: ignore,
    checkpointed: ignore,
    switched: ignore,
  };
  const broken = {
    ...silent,
    committed() {
      throw new Error('It can’t count.');
    },
  };
  const sound = { ...silent, committed: () => heard.push('committed') };
  const observer = observing([broken, sound], log);
  const batch = { startedMs: 0, endedMs: 1, items: 1, written: 1, bytes: 1, traces: [] };
  observer.committed({ store: 'json', ...batch });
  observer.committed({ store: 'json', ...batch });
  expect(heard).toEqual(['committed', 'committed']);
  expect(log.lines).toHaveLength(1);
});
