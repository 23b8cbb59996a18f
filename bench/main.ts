// npm run bench [-- --quick] [--picture FILE] [BAR ...]: measures the bars, as ratios within one run.
// The exit status says whether every bar was met; with --quick, only whether the bench works.
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { api } from './bars/api.ts';
import { backfill } from './bars/backfill.ts';
import { checkpoint } from './bars/checkpoint.ts';
import { drain } from './bars/drain.ts';
import { groupCommit } from './bars/group-commit.ts';
import { opening } from './bars/opening.ts';
import { peers } from './bars/peers.ts';
import { phases } from './bars/phases.ts';
import { replication } from './bars/replication.ts';
import { secondary } from './bars/secondary.ts';
import { stored } from './bars/stored.ts';
import { takeOver } from './bars/take-over.ts';
import { verify } from './bars/verify.ts';
import { pictureOf } from './picture.ts';
import { FULL, type Profile, QUICK } from './profile.ts';
import { isMet, type Result, tableOf } from './result.ts';

type Bar = (profile: Profile, folder: string) => Promise<Result[]>;

const BARS: Readonly<Record<string, Bar>> = {
  'group-commit': groupCommit,
  stored,
  checkpoint,
  opening,
  'take-over': takeOver,
  backfill,
  api,
  phases,
  peers,
  replication,
  secondary,
  verify,
  drain,
};

const { values, positionals: named } = parseArgs({
  options: { quick: { type: 'boolean' }, picture: { type: 'string' } },
  allowPositionals: true,
});
const profile = values.quick === true ? QUICK : FULL;
const unknown = named.find((name) => !Object.hasOwn(BARS, name));
if (unknown !== undefined) {
  console.error(`There is no bar "${unknown}"; they are ${Object.keys(BARS).join(', ')}.`);
  process.exit(2);
}

// Beside the checkout's own files: a temporary folder may lie in memory, where a sync costs nothing.
const folder = await mkdtemp(join(import.meta.dirname, '.run-'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  });
}
const results: Result[] = [];
try {
  for (const [name, bar] of Object.entries(BARS)) {
    if (named.length > 0 && !named.includes(name)) continue;
    console.error(`${name} …`);
    const measured = await bar(profile, folder);
    console.error(tableOf(measured));
    results.push(...measured);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
const [cpu] = cpus();
console.log(`${new Date().toISOString()}, ${profile.name} profile, Node ${process.version},`);
console.log(`${cpus().length} × ${cpu?.model ?? 'unknown processor'}\n`);
console.log(tableOf(results));
if (values.picture !== undefined) await writeFile(values.picture, pictureOf(results));
const missed = results.filter((one) => !isMet(one));
if (profile === FULL && missed.length > 0) process.exitCode = 1;
