import { expect, test } from 'vitest';
import { createEmptyDatabase, createTestDatabase } from '../testing/database.ts';
import { migrateSchema, readPhaseFlags, schemaIsCurrent, writePhaseFlags } from './index.ts';

test('migrating an empty database: once, whoever starts at the same time', async () => {
  const database = await createEmptyDatabase();
  try {
    expect(await schemaIsCurrent(database.pool)).toBe(false);
    const options = { enableDualWriteOnFirstRun: true };
    const runs = await Promise.all([1, 2, 3].map(() => migrateSchema(database.url, options)));
    expect(runs.filter(({ createdFlags }) => createdFlags)).toHaveLength(1);
    expect(runs.filter(({ applied }) => applied > 0)).toHaveLength(1);
    expect(await schemaIsCurrent(database.pool)).toBe(true);
    expect(await readPhaseFlags(database.pool)).toEqual({ DUAL_WRITE_ENABLED: true });

    await writePhaseFlags(database.pool, { DUAL_WRITE_ENABLED: false });
    expect(await migrateSchema(database.pool, options)).toEqual({
      createdFlags: false,
      applied: 0,
    });
    expect(await readPhaseFlags(database.pool)).toEqual({ DUAL_WRITE_ENABLED: false });
  } finally {
    await database.drop();
  }
});

test('a flag is typed into psql without its id; a second global row is refused', async () => {
  const database = await createTestDatabase();
  const { pool } = database;
  try {
    expect(await readPhaseFlags(pool)).toEqual({});
    const insert = `INSERT INTO feature_flags (name, enabled, description) VALUES ('DUAL_WRITE_ENABLED', true, 'typed')`;
    await pool.query(insert);
    await expect(pool.query(insert)).rejects.toMatchObject({ code: '23505' });
    await pool.query(
      `INSERT INTO feature_flags (name, enabled, user_id) VALUES ('USE_DATABASE_STORAGE', true, 'ann')`,
    );
    expect(await readPhaseFlags(pool)).toEqual({ DUAL_WRITE_ENABLED: true });
    await pool.query(`UPDATE feature_flags SET enabled = false WHERE name = 'DUAL_WRITE_ENABLED'`);
    await writePhaseFlags(pool, { USE_DATABASE_STORAGE: true });
    expect(await readPhaseFlags(pool)).toEqual({
      USE_DATABASE_STORAGE: true,
      DUAL_WRITE_ENABLED: false,
    });
    await pool.query('DROP TABLE feature_flags');
    await expect(readPhaseFlags(pool)).rejects.toMatchObject({ code: 'storage-failed' });
  } finally {
    await database.drop();
  }
});
