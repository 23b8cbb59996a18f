// What is waited for when the chaos is over, and what both stores hold then.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectJsonStore } from '@tandem/storage/json';
import { type Phase, primaryOf } from '@tandem/storage/phase';
import type { FinalState } from './checker/check.ts';
import { redrive, unpoison } from './faults/poison.ts';
import { usualWorkers } from './faults/workers.ts';
import type { Expense } from './history.ts';
import { type Readiness, standsBy } from './readiness.ts';
import { waitFor } from './waiting.ts';
import type { World } from './world.ts';

/** Longer than every interval after which the product tries something again. */
const QUIET_TIMEOUT_MS = 120_000;
const SERVED_TIMEOUT_MS = 90_000;
/** Writes acknowledged after the chaos, while the clients still ask. */
const WRITES_AFTER = 40;

/** Everything that the chaos may have left, undone. */
export async function heal(world: World): Promise<void> {
  const { apis, workers, disk } = world;
  for (const { member, proxy, clock } of [...apis, ...workers]) {
    member.resume();
    proxy.resume();
    proxy.accept();
    proxy.slow(0);
    proxy.disarm();
    clock.step(0);
  }
  disk?.makeRoom();
  for (const { member } of apis) member.start();
  await usualWorkers(world);
  await unpoison(world);
  world.timeline.note('healed');
}

/** The service takes writes again, without anybody's help. @throws {Error} when it does not */
export async function servesAgain({ history }: World): Promise<void> {
  const written = () =>
    history.operations.filter(({ call, outcome }) => outcome === 'ok' && 'set' in call).length;
  const before = written();
  await waitFor(
    `To acknowledge ${WRITES_AFTER} writes after everything was healed`,
    SERVED_TIMEOUT_MS,
    async () => written() >= before + WRITES_AFTER,
  );
}

/** Resolves when the phase is the desired one and nothing is on its way. @throws {Error} saying what is */
export async function untilQuiet(world: World, desired: Phase): Promise<void> {
  let standing = 'nothing is known';
  try {
    await waitFor('To be quiet', QUIET_TIMEOUT_MS, async () => {
      const found = await whatIsLeft(world, desired).catch((error) => String(error));
      if (found !== standing) world.timeline.note(`quiet? ${found ?? 'yes'}`);
      standing = found ?? '';
      return found === undefined;
    });
  } catch (error) {
    throw new Error(`${(error as Error).message} What is left: ${standing}`);
  }
}

async function whatIsLeft(world: World, desired: Phase): Promise<string | undefined> {
  const { serving, left } = await whoServes(world, desired);
  if (left !== undefined) return left;
  for (const { backlog = 0, catchUp } of serving) {
    if (backlog > 0) return `${backlog} changes in the journal`;
    if (catchUp !== undefined) return 'a catch-up';
  }
  const { phase: manifest } = await inspectJsonStore(world.jsonDir);
  if (primaryOf(desired) === 'json' && manifest?.catchUpSince !== null) {
    return `PostgreSQL is to be brought up since ${manifest?.catchUpSince}`;
  }
  const [row] = await world.server.query(`
    SELECT (SELECT catch_up_since::text FROM phase_state) AS stale,
      count(*) FILTER (WHERE name ~ '^write-to-[a-z]+$' AND state < 'completed')::int AS waiting,
      count(*) FILTER (WHERE name LIKE '%-dead' AND state < 'completed')::int AS dead
    FROM pgboss.job`);
  const { stale, waiting, dead } = row as { stale: string | null; waiting: number; dead: number };
  if (stale !== null) return `JSON is to be brought up since ${stale}`;
  if (waiting > 0) return `${waiting} jobs`;
  if (dead === 0) return undefined;
  // One that failed once more while its cause was being mended.
  await redrive(world);
  return `${dead} dead letters`;
}

/** In the JSON phases one api serves, and says so; in those of PostgreSQL all do. */
async function whoServes(
  { apis, readinesses }: World,
  desired: Phase,
): Promise<{ readonly serving: readonly Readiness[]; readonly left?: string }> {
  const serving: Readiness[] = [];
  for (const [index, readiness] of (await readinesses()).entries()) {
    const name = apis[index]?.name;
    if (readiness === undefined) return { serving, left: `${name} does not answer` };
    const { isReady, phase } = readiness;
    if (phase?.desired !== desired) return { serving, left: `${name} wants ${phase?.desired}` };
    if (primaryOf(desired) === 'json' && standsBy(readiness)) continue;
    if (!isReady) return { serving, left: `${name} is not ready` };
    if (phase.effective !== desired) {
      const why = phase.waitingFor ?? 'for no known reason';
      return { serving, left: `${name} is in ${phase.effective} instead of ${desired}: ${why}` };
    }
    serving.push(readiness);
  }
  const wanted = primaryOf(desired) === 'json' ? 1 : apis.length;
  if (serving.length === wanted) return { serving };
  return { serving, left: `${serving.length} apis serve` };
}

const ROWS = `
  SELECT id, to_char(date, 'YYYY-MM-DD') AS date, business, category, amount::float8 AS amount,
    account, currency, notes FROM expenses`;

/** What both stores hold: the table, and the file after a checkpoint. */
export async function readFinalState(world: World): Promise<FinalState> {
  const { status, output } = await world.tandem('checkpoint');
  if (status !== 0) throw new Error(`tandem checkpoint: ${output}`);
  const file: Expense[] = JSON.parse(readFileSync(join(world.jsonDir, 'expenses.json'), 'utf8'));
  const rows = (await world.sql(ROWS)) as unknown as Expense[];
  const byId = (records: readonly Expense[]) => new Map(records.map((one) => [one.id, one]));
  return { atMs: performance.now(), json: byId(file), postgres: byId(rows) };
}
