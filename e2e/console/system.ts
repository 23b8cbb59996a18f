// A whole system behind the console: api, worker and a database of their own.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@tandem/embedded-postgres';
import { loadCollections } from '@tandem/storage/collections';
import { checkpointWherever } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import type { Phase } from '@tandem/storage/phase';
import { startTcpProxy } from '@tandem/storage/testing';
import { expect, vi } from 'vitest';
import { buildConsole } from '../../scripts/console/build-console.ts';
import { phaseAt, reached, setFlags } from '../phase-flags.ts';
import { call, legacyFile } from '../record-client.ts';
import { newMigratedDatabase, type Service, startApi, startWorker } from '../services.ts';
import { temporaryFolder } from '../tandem-process.ts';

const WAIT = { timeout: 60_000, interval: 100 };

export interface ConsoleSystem {
  readonly origin: string;
  readonly databaseUrl: string;
  readonly token: string;
  /** Ends the api at once, as a crash would. */
  killApi(): Promise<void>;
  /** Starts the api again, on the same port. */
  startApi(more?: Readonly<Record<string, string>>): Promise<void>;
  /** Stops the worker as a clean stop does; nobody starts it again. */
  stopWorker(): Promise<void>;
  /** Asks for a phase and waits until it stands. */
  reach(phase: Phase): Promise<void>;
  create(amount: number, notes?: string): Promise<number>;
  /** Orders something over HTTP; `path` follows `/api/v1/migration`. */
  operator(method: 'POST' | 'PUT', path: string, body: object): Promise<unknown>;
  update(id: number, field: string, value: unknown): Promise<void>;
  read(id: number): Promise<unknown>;
  /** Changes the notes of an expense in the file, as an editor would, and lets the holder look. */
  editByHand(id: number, notes: string): Promise<void>;
  /** The api reaches PostgreSQL no more. */
  cutDatabase(): void;
  restoreDatabase(): void;
  close(): Promise<void>;
}

/** Starts all of it in `json-primary`, with the page built from the present sources. */
export async function startConsoleSystem(
  more: Readonly<Record<string, string>> = {},
): Promise<ConsoleSystem> {
  await buildConsole();
  const databaseUrl = await newMigratedDatabase();
  const dataDir = temporaryFolder();
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const variables = {
    ...{ DATA_DIR: dataDir, DATABASE_URL: databaseUrl, PORT: `${port}`, VERIFY_EVERY: 'off' },
    ...{ VERIFY_FULL_EVERY: 'off', ...more },
  };
  await setFlags(databaseUrl, 'json-primary');
  const proxy = await startTcpProxy(databaseUrl);
  const ofApi = { ...variables, DATABASE_URL: proxy.url };
  let api: Service = await startApi(ofApi);
  await stands(origin, 'json-primary');
  const worker = startWorker(variables);
  const token = readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();
  return {
    ...{ origin, databaseUrl, token },
    cutDatabase() {
      proxy.refuse();
      proxy.cut();
    },
    restoreDatabase: () => proxy.accept(),
    close: () => proxy.close(),
    async operator(method, path, body) {
      const answer = await fetch(`${origin}/api/v1/migration${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      expect(answer.status, text).toBe(200);
      return JSON.parse(text);
    },
    async killApi() {
      process.kill(api.pid, 'SIGKILL');
      await api.ended;
    },
    async startApi(more = {}) {
      api = await startApi({ ...ofApi, ...more });
    },
    async stopWorker() {
      expect(await worker.stop()).toBe(0);
    },
    async reach(phase) {
      await setFlags(databaseUrl, phase);
      await reached(origin, phase);
    },
    async create(amount, notes) {
      const body = { date: '2025-12-07', category: 'Food', amount, account: 'Cash', notes };
      const { body: answer } = await call(origin, 'POST', '/api/v1/expense', body);
      return (answer as { expense: { id: number } }).expense.id;
    },
    async update(id, field, value) {
      const { status } = await call(origin, 'PATCH', `/api/v1/expense/${id}`, { field, value });
      expect(status).toBe(200);
    },
    read: async (id) => (await call(origin, 'GET', `/api/v1/expense/${id}`)).body,
    editByHand: (id, notes) => editByHand(join(dataDir, 'json'), id, notes),
  };
}

/** Resolves when the api serves in a phase. */
const stands = (origin: string, phase: Phase): Promise<unknown> =>
  vi.waitUntil(async () => (await phaseAt(origin))?.effective === phase, WAIT);

async function editByHand(directory: string, id: number, notes: string): Promise<void> {
  const collections = await loadCollections();
  const timeoutMs = WAIT.timeout;
  const checkpoint = () =>
    checkpointWherever({ directory, collections, log: silentLog, timeoutMs });
  await checkpoint();
  const records = legacyFile(directory, 'expenses.json');
  const edited = records.map((record) => (record.id === id ? { ...record, notes } : record));
  writeFileSync(join(directory, 'expenses.json'), JSON.stringify(edited));
  await checkpoint();
}
