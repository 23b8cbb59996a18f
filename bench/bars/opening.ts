import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { apiMemory } from '../api/api-memory.ts';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { makeStore } from '../stores/large-store.ts';
import { OpenedStore } from '../stores/opened-store.ts';
import { inTurns, ratiosOf } from '../turns.ts';

const GIGABYTE = 1e9;

/** What another program would do with the same file: read it, parse it. */
const PARSE = `
  const { readFileSync } = require('node:fs');
  const started = performance.now();
  const text = readFileSync(process.argv[1], 'utf8');
  const read = performance.now();
  JSON.parse(text);
  const parsed = performance.now();
  console.log(JSON.stringify({ readMs: read - started, parseMs: parsed - read }));`;

async function parse(path: string): Promise<{ readMs: number; parseMs: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', PARSE, path]);
  return JSON.parse(stdout);
}

/** Opening a large store, in processes of their own, and what the API process needs with it. */
export async function opening(profile: Profile, folder: string): Promise<Result[]> {
  const directory = await makeStore(join(folder, 'opening'), profile.records);
  const file = join(directory, 'expenses.json');
  const parses: { readMs: number; parseMs: number }[] = [];
  const measured = await inTurns(profile.longTurns, {
    open: async () => {
      const store = await OpenedStore.open(directory);
      await store.close();
      return store.openedMs;
    },
    parse: async () => {
      const one = await parse(file);
      parses.push(one);
      return one.parseMs;
    },
  });
  const readAndParse = parses.map(({ readMs, parseMs }) => readMs + parseMs);
  const memory = await apiMemory(directory, profile.apiSeconds);
  const records = profile.records.toLocaleString('en');
  const figures = `${spellAll(measured.open, ' ms')}; JSON.parse ${spellAll(measured.parse, ' ms')}`;
  return [
    result(
      `opening a store of ${records} records, over reading and parsing its expenses.json`,
      { relation: '≤', value: 2 },
      ratiosOf(measured.open, readAndParse),
      `${figures}; with reading ${spellAll(readAndParse, ' ms')}`,
    ),
    result(
      'the same over JSON.parse alone, of text already in memory',
      { relation: '≤', value: 2 },
      ratiosOf(measured.open, measured.parse),
      figures,
    ),
    result(
      `memory of the api process with ${records} records, its highest (VmHWM)`,
      { relation: '≤', value: 1.2, unit: ' GB' },
      [memory.highestBytes / GIGABYTE],
      `after opening ${(memory.openedBytes / GIGABYTE).toFixed(2)} GB; then 64 clients wrote and read`,
    ),
  ];
}
