// drizzle's table builders, from its CommonJS build. Node 24 reads a package's whole package.json anew
// for every ES module of it (lib/internal/modules/package_json_reader.js), and drizzle's has 180 KB: the
// hundred modules behind these names took more than half of the time in which a process starts.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const core: typeof import('drizzle-orm') = require('drizzle-orm');
const pgCore: typeof import('drizzle-orm/pg-core') = require('drizzle-orm/pg-core');

export const { getTableName, sql } = core;
export const {
  bigint,
  boolean,
  check,
  customType,
  date,
  index,
  integer,
  json,
  numeric,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} = pgCore;
