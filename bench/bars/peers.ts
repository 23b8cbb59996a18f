import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startBenchServer } from '../api/bench-server.ts';
import { firePosts } from '../api/cannon.ts';
import { withRunning } from '../api/running.ts';
import { startJsonOnly, startPeer } from '../api/service.ts';
import { figures, rates } from '../api/spelled.ts';
import type { Profile } from '../profile.ts';
import { type Result, result } from '../result.ts';
import { inTurns, ratiosOf } from '../turns.ts';

/** lowdb and json-server are asked with so many records; the bar is for the one in the middle. */
const BAR_RECORDS = 10_000;
/** With so many, 64 requests that each write the whole file take longer than a turn: theirs are longer. */
const MANY_RECORDS = 100_000;
const MANY_FACTOR = 4;
const FILE_RECORDS = [1_000, BAR_RECORDS, MANY_RECORDS] as const;

const at = (records: number): string => `at ${records.toLocaleString('en')} records`;

/** POST/s in `json-only` against what else keeps records in a file of this machine. */
export async function peers(profile: Profile, folder: string): Promise<Result[]> {
  return withRunning(async (running) => {
    const place = async (name: string): Promise<string> => {
      const directory = join(folder, `peer-${name}`);
      await mkdir(directory, { recursive: true });
      return directory;
    };
    const server = await running.of(startBenchServer(await place('server')));
    const tandem = (await running.of(startJsonOnly(await place('tandem')))).origin;
    const inFolder = async (peer: string, records: number): Promise<string> => {
      const name = `${peer}-${records}`;
      const variables = {
        ...{ DATA_DIR: await place(name), RECORDS: String(records) },
        ...(peer === 'dual-write-server' ? { DATABASE_URL: await server.database(name) } : {}),
      };
      return (await running.of(startPeer(peer, variables))).origin;
    };
    const origins: Record<string, string> = {
      tandem,
      'node:sqlite': await inFolder('sqlite-server', 0),
    };
    for (const records of FILE_RECORDS) {
      origins[`lowdb ${at(records)}`] = await inFolder('lowdb-server', records);
      origins[`json-server ${at(records)}`] = await inFolder('json-server', records);
      origins[`dual write in the handler ${at(records)}`] = await inFolder(
        'dual-write-server',
        records,
      );
    }
    const { longTurns, apiSeconds } = profile;
    await firePosts(tandem, apiSeconds);
    const runs = Object.entries(origins).map(([name, origin]) => [
      name,
      () =>
        firePosts(origin, name.endsWith(at(MANY_RECORDS)) ? apiSeconds * MANY_FACTOR : apiSeconds),
    ]);
    const measured = await inTurns<string, Awaited<ReturnType<typeof firePosts>>>(
      longTurns,
      Object.fromEntries(runs),
    );
    const { tandem: ours = [], ...others } = measured;
    return Object.entries(others).map(([name, theirs]) => {
      const isBar = name === `lowdb ${at(BAR_RECORDS)}`;
      return result(
        `POST in json-only, over ${name}`,
        isBar ? { relation: '≥', value: 60 } : { relation: '>', value: 1 },
        // One that answered nothing in time counts as if it had answered once.
        ratiosOf(
          rates(ours),
          rates(theirs).map((rate) => Math.max(rate, 1 / Math.max(apiSeconds, 1))),
        ),
        `${figures(ours)}; ${name} ${figures(theirs)}`,
      );
    });
  });
}
