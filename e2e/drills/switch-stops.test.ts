// All of it is asked to stop, as by Ctrl-C, while a switch that leads from one dual phase to the other is at
// one of its places: it is finished or undone, and either way both stores have everything.
import { join } from 'node:path';
import { FAILPOINTS } from '@tandem/storage/phase';
import { expect, test } from 'vitest';
import { newDatabase } from '../database.ts';
import { moreWrites, startLoad } from '../load.ts';
import { reach, setFlags } from '../phase-flags.ts';
import { query } from '../record-client.ts';
import { compare, MOVES } from '../switch-drill.ts';
import { startTandem, temporaryFolder } from '../tandem-process.ts';

const WRITERS = 3;
const WRITES_BEFORE = 30;
/** The process stays there while it is told to stop. */
const HELD_AT_FAILPOINT_MS = 1_500;

const places = FAILPOINTS.filter((name) => /^(promote|demote)\./.test(name));

test.for(places)(
  'I6, I7: a stop of everything at %s leaves both stores whole',
  {
    timeout: 150_000,
  },
  async (failpoint) => {
    const { from, to } = MOVES[failpoint.split('.')[0] as string] as (typeof MOVES)[string];
    const [dataDir, url] = [temporaryFolder(), await newDatabase()];
    const tandem = startTandem({
      ...{ DATA_DIR: dataDir, DATABASE_URL: url },
      TANDEM_FAILPOINT: `${failpoint}:${HELD_AT_FAILPOINT_MS}`,
    });
    const origin = await tandem.ready();
    const load = startLoad(origin, WRITERS);
    try {
      await reach(url, origin, from);
      await moreWrites(load, WRITES_BEFORE);
      await setFlags(url, to);
      await tandem.prints(`Failpoint ${failpoint} reached.`);
      expect(await tandem.interrupt(), tandem.output()).toBe(0);
    } finally {
      await load.stop();
    }
    await compare(url, join(dataDir, 'json'), load, tandem);
    const [row] = await query(url, 'SELECT phase, sealed FROM phase_state');
    expect([from, to]).toContain(row?.phase);
    expect(row?.sealed).toBe(false);
  },
);
