//   schedule ─▶ world ─▶ rounds: clients and faults ─▶ heal ─▶ served again ─▶ quiet ─▶ check
//                  last: the other dual phase ─▶ quiet ─▶ check ─▶ clean stop
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sentenceOf } from '@tandem/storage/errors';
import type { Phase } from '@tandem/storage/phase';
import { recordPrimaries } from '../primaries-recorder.ts';
import { canHaveSmallDisk, type SmallDisk } from '../small-disk.ts';
import { environmentWith, root, startProcess } from '../tandem-process.ts';
import type { Violation } from './checker/check.ts';
import { HotRecords, runClient } from './client.ts';
import { canStepClocks, NO_FAKETIME } from './clocks.ts';
import { conduct } from './conduct.ts';
import type { Ability } from './fault-kinds.ts';
import { History } from './history.ts';
import { Judge, sentence } from './judge.ts';
import { heal, servesAgain } from './quiet.ts';
import { type Round, scheduleOf, scheduleText } from './schedule.ts';
import { Timeline } from './timeline.ts';
import { startWorld, stopWorld, type World } from './world.ts';

const CLIENTS = 32;
const MIB = 1_048_576;
/** Violations that are written out; one cause has many. */
const SHOWN_MAX = 5;

export interface ChaosOptions {
  readonly seed: number;
  /** Of all rounds together, in ms; starting and checking come on top. */
  readonly lengthMs: number;
  /** Takes schedule, history, timeline and logs. */
  readonly folder: string;
  readonly say: (text: string) => void;
}

/** @returns what was violated; nothing is what is wanted */
export async function runChaos(options: ChaosOptions): Promise<readonly Violation[]> {
  const { seed, lengthMs, folder, say } = options;
  mkdirSync(folder, { recursive: true });
  const schedule = scheduleOf(seed, lengthMs, abilitiesHere(say));
  const text = scheduleText(schedule);
  writeFileSync(join(folder, 'schedule.txt'), `${text}\n`);
  say(text);
  const timeline = new Timeline(join(folder, 'timeline.txt'));
  const history = new History(join(folder, 'history.jsonl'));
  const { apis } = schedule;
  const hot = new HotRecords();
  const world = await startWorld({ folder, apis, lengthMs, timeline, history, hot });
  const violations = await violationsOf(world, schedule.rounds, options);
  await Promise.all([history.close(), timeline.close()]);
  report(violations, options);
  return violations;
}

function abilitiesHere(say: (text: string) => void): Ability[] {
  const abilities: Ability[] = [];
  if (canHaveSmallDisk()) abilities.push('small disk');
  else say('Left out, full-disk: mount namespaces are not permitted here.');
  if (canStepClocks()) abilities.push('faketime');
  else say(`Left out, clock-step: ${NO_FAKETIME}.`);
  return abilities;
}

async function violationsOf(
  world: World,
  rounds: readonly Round[],
  { seed, say }: ChaosOptions,
): Promise<Violation[]> {
  const violations: Violation[] = [];
  const primaries = recordPrimaries(world.server.url, world.jsonDir);
  const sampler = startSampler(world);
  const judge = new Judge(world);
  try {
    let desired: Phase = 'json-primary';
    for (const [number, round] of rounds.entries()) {
      const done = await runRound(world, round, { number, seed });
      desired = done.desired;
      violations.push(...done.troubles.map(sentence));
      violations.push(...(await judge.check(desired)));
      say(`Round ${number + 1} of ${rounds.length}: ${countsOf(world)}`);
      if (violations.length > 0) return violations;
    }
    violations.push(...(await judge.changeSides(desired)));
    say(`Switches: ${await switchesOf(world)}`);
  } catch (error) {
    violations.push(sentence(sentenceOf(error)));
  } finally {
    await primaries.stop();
    const seen = await sampler();
    say(
      `expenses.json was read ${seen.samples} times; both stores were asked ${primaries.looks} times which is primary.`,
    );
    const ended = await stopWorld(world);
    const members = [...world.apis, ...world.workers].map(({ member }) => member);
    violations.push(
      ...primaries.violations.map((text) => sentence(`I3: two primaries: ${text}`)),
      ...seen.violations.map((text) => sentence(`I7: expenses.json: ${text}`)),
      ...members.flatMap(({ unexpected }) => unexpected.map(sentence)),
      ...ended.map((text) => sentence(`A clean stop: ${text}`)),
    );
  }
  return violations;
}

/** Chaos under load, then all healed, and quiet. */
async function runRound(
  world: World,
  round: Round,
  { number, seed }: { readonly number: number; readonly seed: number },
) {
  const over = new AbortController();
  const { apis: doors, hot, history } = world;
  const clients = Array.from({ length: CLIENTS }, (_, client) =>
    runClient({
      ...{ number: number * CLIENTS + client, seed, doors, hot, history },
      signal: over.signal,
    }),
  );
  try {
    const conducted = await conduct(world, round);
    await heal(world);
    await servesAgain(world);
    return conducted;
  } finally {
    over.abort();
    await Promise.all(clients);
  }
}

function startSampler({ jsonDir }: World) {
  const sampler = startProcess(
    [process.execPath, join(root, 'e2e/chaos/sampler-process.ts'), join(jsonDir, 'expenses.json')],
    environmentWith({}),
  );
  return async (): Promise<{ samples: number; violations: readonly string[] }> => {
    process.kill(sampler.pid, 'SIGTERM');
    await sampler.ended;
    return JSON.parse(sampler.output());
  };
}

function countsOf({ history, disk }: World): string {
  const { ok, failed, unknown } = history.counts();
  const all = history.operations.length;
  return `${all} operations, ${ok} ok, ${failed} failed, ${unknown} unknown${roomOf(disk)}`;
}

/** How much of the disk the stores take once there is room again. */
function roomOf(disk: SmallDisk | undefined): string {
  if (disk === undefined) return '';
  const { usedBytes, sizeBytes } = disk.used();
  return `; ${Math.round(usedBytes / MIB)} of ${Math.round(sizeBytes / MIB)} MiB used`;
}

async function switchesOf({ sql }: World): Promise<string> {
  const rows = await sql(
    `SELECT from_phase, to_phase, count(*)::int AS n FROM phase_history
     WHERE from_phase <> to_phase GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  return rows.map(({ from_phase, to_phase, n }) => `${from_phase} → ${to_phase}: ${n}`).join(', ');
}

function report(violations: readonly Violation[], { seed, folder, say }: ChaosOptions): void {
  if (violations.length === 0) return;
  const shown = violations
    .slice(0, SHOWN_MAX)
    .map(({ what, lines }) => [what, ...lines.map((line) => `    ${line}`)].join('\n'));
  const all = violations.map(({ what, lines }) => [what, ...lines].join('\n')).join('\n\n');
  appendFileSync(join(folder, 'violations.txt'), `${all}\n`);
  say(`${violations.length} violations with seed ${seed}; everything is in ${folder}.`);
  say(shown.join('\n'));
}
