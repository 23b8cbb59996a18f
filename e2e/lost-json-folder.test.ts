import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newDatabase } from './database.ts';
import { Household } from './household.ts';
import { startTandem, temporaryFolder } from './tandem-process.ts';

test('I2: a JSON folder that was lost while it followed, and made anew, is relayed after a rollback', async () => {
  const dataDir = temporaryFolder();
  const jsonDir = join(dataDir, 'json');
  const url = await newDatabase();
  const household = new Household();
  const start = (useDatabase: string) =>
    startTandem({
      ...{ DATA_DIR: dataDir, DATABASE_URL: url },
      ...{ FF_DUAL_WRITE_ENABLED: 'true', FF_USE_DATABASE_STORAGE: useDatabase },
    });
  const live = async (useDatabase: string) => {
    const tandem = start(useDatabase);
    await household.live(await tandem.ready(), `used ${useDatabase}`);
    expect(await tandem.interrupt()).toBe(0);
    household.isInJson(jsonDir);
    await household.isInPostgres(url);
  };
  // The queue's cursor gets ahead of whatever a new journal will hold for a while.
  await live('false');
  await live('true');
  rmSync(jsonDir, { recursive: true });
  await live('true');
  await live('false');
}, 120_000);
