// No Docker engine is needed: both files are read and held to what they promise, and the same commands
// are run with the same environment as processes of this machine.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@tandem/embedded-postgres';
import { expect, test, vi } from 'vitest';
import { newDatabase } from './database.ts';
import { type ComposeService, copiedSources, readCompose, readDockerfile } from './docker-files.ts';
import { call, EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { environmentWith, root, startProcess, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 30_000, interval: 100 };
const compose = readCompose();
const { db, migrate, worker, api } = compose.services;
const ours = { migrate, worker, api };
const dockerfile = readDockerfile();
const instruction = (name: string) => dockerfile.findLast((one) => one.name === name)?.rest;
const isIn = (file: string) => existsSync(join(root, file));

test('the image is built from files that are there, and has every manifest of the workspace', () => {
  const sources = copiedSources();
  for (const source of sources) expect(isIn(source), source).toBe(true);
  for (const folder of ['apps', 'packages']) {
    for (const name of readdirSync(join(root, folder))) {
      const manifest = `${folder}/${name}/package.json`;
      if (isIn(manifest)) expect(sources).toContain(manifest);
    }
    expect(sources).toContain(folder);
  }
  expect(sources).toContain('migrations');
  const kept = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  for (const source of sources) expect(kept).toContain(`!${source.split('/')[0]}`);
});

test('the image has the console, and not what builds it', () => {
  const stage = dockerfile.findLastIndex(({ name }) => name === 'FROM');
  const taken = 'COPY --from=console /app/apps/console/dist apps/console/dist';
  expect(dockerfile.slice(stage).map(({ name, rest }) => `${name} ${rest}`)).toContain(taken);
  expect(dockerfile.some(({ name, rest }) => name === 'FROM' && rest.endsWith(' AS console'))).toBe(
    true,
  );
});

test('the image pins node to the minor and pnpm to what npm start installs with', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [minor] = /^\d+\.\d+/.exec(dependencies.node) ?? [];
  for (const { rest } of dockerfile.filter(({ name }) => name === 'FROM')) {
    expect(rest).toMatch(new RegExp(`^node:${minor}-\\S+( AS \\w+)?$`));
  }
  const [, pnpm] =
    /'(pnpm@[\d.]+)'/.exec(readFileSync(join(root, 'scripts/on-node-24.mjs'), 'utf8')) ?? [];
  expect(instruction('RUN')).toBeDefined();
  expect(
    dockerfile.some(({ rest }) =>
      rest.includes(`npx --yes ${pnpm} install --frozen-lockfile --prod`),
    ),
  ).toBe(true);
});

test('the image does not run as root, and its user owns the data folder', () => {
  expect(instruction('USER')).toBe('node');
  const user = dockerfile.findIndex(({ name }) => name === 'USER');
  const owned = dockerfile.findIndex(({ rest }) => rest.includes('chown node:node /data'));
  expect(owned).toBeGreaterThan(0);
  expect(owned).toBeLessThan(user);
  for (const { environment, volumes } of Object.values(ours)) {
    expect(environment.DATA_DIR).toBe('/data');
    expect(volumes).toContain('data:/data');
  }
});

test('every command is a file of the image', () => {
  const commands = Object.values(ours).map(({ command }) => command);
  for (const command of [...commands, JSON.parse(instruction('CMD') ?? '[]')]) {
    expect(command?.[0]).toBe('node');
    expect(isIn(command?.[1]), command?.[1]).toBe(true);
    expect(copiedSources()).toContain(command?.[1].split('/')[0]);
  }
});

test('every port is published on loopback only', () => {
  for (const { ports = [] } of Object.values(compose.services)) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
  }
});

test('every variable is one that the configuration reads', () => {
  const known = readFileSync(join(root, 'packages/storage/src/configuration.ts'), 'utf8');
  for (const { environment } of Object.values(ours)) {
    for (const name of Object.keys(environment)) expect(known, name).toContain(`'${name}'`);
  }
});

test('the services wait for what they need, and the database stands alone', () => {
  expect(db.image).toBe('postgres:18');
  expect(db.depends_on).toBeUndefined();
  expect(db.volumes).toEqual(['postgres:/var/lib/postgresql']);
  expect(db.healthcheck?.test).toContain('pg_isready');
  expect(migrate.depends_on).toEqual({ db: { condition: 'service_healthy' } });
  expect(migrate.restart).toBe('no');
  for (const service of [worker, api]) {
    expect(service.depends_on).toMatchObject({
      migrate: { condition: 'service_completed_successfully' },
    });
    expect(service.restart).toBe('unless-stopped');
  }
  expect(Object.keys(compose.volumes).sort()).toEqual(['data', 'postgres']);
});

test('the same commands with the same environment: an expense arrives in PostgreSQL and in the file', async () => {
  const database = await newDatabase();
  const folder = temporaryFolder();
  const ports = { '8000': String(await freePort()), '8001': String(await freePort()) };
  const mapped = (text: string) =>
    text
      .replace(/^postgres:\/\/.*@db:5432\/tandem$/, database)
      .replace(/^\/data$/, folder)
      .replace(/\b800[01]\b/, (port) => ports[port as keyof typeof ports]);
  const environmentOf = ({ environment }: ComposeService) =>
    environmentWith(
      Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, mapped(text)])),
    );
  const start = (service: ComposeService) => {
    const [, ...args] = service.command as string[];
    return startProcess([process.execPath, ...args], environmentOf(service));
  };
  const isHealthy = ({ healthcheck }: ComposeService) => {
    const [, , ...args] = healthcheck?.test ?? [];
    return spawnSync(process.execPath, args.map(mapped)).status === 0;
  };

  expect(await start(migrate).ended).toBe(0);
  expect(isHealthy(worker)).toBe(false);
  const runningWorker = start(worker);
  const runningApi = start(api);
  for (const service of [worker, api]) await vi.waitUntil(() => isHealthy(service), WAIT);

  const origin = `http://127.0.0.1:${ports['8000']}`;
  const body = { date: '2025-12-07', category: 'Groceries', amount: 150.5, account: 'Cash' };
  expect((await call(origin, 'POST', '/api/v1/expense', body)).status).toBe(200);
  await vi.waitUntil(async () => (await query(database, EXPENSE_ROWS)).length === 1, WAIT);

  process.kill(runningApi.pid, 'SIGTERM');
  expect(await runningApi.ended).toBe(0);
  process.kill(runningWorker.pid, 'SIGTERM');
  expect(await runningWorker.ended).toBe(0);
  expect(legacyFile(join(folder, 'json'), 'expenses.json')).toEqual(
    await query(database, EXPENSE_ROWS),
  );
});
