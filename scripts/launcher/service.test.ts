import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@tandem/storage/log';
import { afterEach, expect, test, vi } from 'vitest';
import { findPorts } from './ports.ts';
import { Service } from './service.ts';

const WAIT = { timeout: 20_000, interval: 20 };
const services: Service[] = [];
const homes: string[] = [];

afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.stop()));
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

/** A real process that notes what happens to it in a file, and answers on a port when it is ready. */
const WELL_BEHAVED = `
  import { createServer } from 'node:http';
  import { appendFileSync } from 'node:fs';
  const note = (text) => appendFileSync(process.env.NOTES, text + '\\n');
  const end = (why) => { note(why); process.exit(0); };
  process.on('SIGTERM', () => end('SIGTERM'));
  process.stdin.on('end', () => end('lifeline')).resume();
  createServer((_request, answer) => answer.end('ready'))
    .listen(Number(process.env.PORT), '127.0.0.1', () => note('started'));
`;

async function serviceOf(program: string, stopTimeoutMs = 20_000) {
  const [port = 0] = await findPorts('127.0.0.1', [{ variable: 'PORT', port: 0 }]);
  const home = mkdtempSync(join(tmpdir(), 'tandem-service-'));
  homes.push(home);
  const entry = join(home, 'main.mjs');
  const notes = join(home, 'notes');
  writeFileSync(entry, program);
  writeFileSync(notes, '');
  const lines: string[] = [];
  const errors: string[] = [];
  const service = new Service({
    name: 'sample',
    entry,
    environment: { ...process.env, NOTES: notes, PORT: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
    stopTimeoutMs,
    log: { ...silentLog, error: (_fields, sentence) => errors.push(sentence) },
    lines: (texts) => lines.push(...texts),
    changed: () => {},
  });
  services.push(service);
  return { service, lines, errors, notes: () => readFileSync(notes, 'utf8').trim().split('\n') };
}

const never = new AbortController().signal;

test('a service is ready when it answers, and stops cleanly at SIGTERM', async () => {
  const { service, notes } = await serviceOf(WELL_BEHAVED);
  service.start();
  expect(await service.waitUntilReady(never)).toBe(true);
  expect(await service.stop()).toBe('cleanly');
  expect(notes()).toEqual(['started', 'SIGTERM']);
});

test('a service may be ready before what it depends on is up', async () => {
  const answers = `
    import { createServer } from 'node:http';
    let asked = 0;
    const body = () => ({ dependencies: { relay: { status: ++asked < 3 ? 'degraded' : 'up' } } });
    createServer((_request, answer) => answer.end(JSON.stringify(body())))
      .listen(Number(process.env.PORT), '127.0.0.1');
    process.on('SIGTERM', () => { console.log(asked); process.exit(0); });
  `;
  const { service, lines } = await serviceOf(answers);
  service.start();
  expect(await service.waitUntilReady(never)).toBe(true);
  expect(await service.waitUntilUp('relay', never)).toBe(true);
  expect(await service.waitUntilUp('nothing of the kind', never)).toBe(true);
  await service.stop();
  expect(lines).toEqual(['4']);
});

test('a service that was ready is started again when it dies', async () => {
  const { service, errors, notes } = await serviceOf(WELL_BEHAVED);
  service.start();
  await service.waitUntilReady(never);
  const first = service.pid as number;
  process.kill(first, 'SIGKILL');
  await vi.waitFor(() => expect(notes()).toEqual(['started', 'started']), WAIT);
  expect(service.pid).not.toBe(first);
  expect(errors).toEqual(['The sample ended by SIGKILL; it is started again in 1 s.']);
});

test('a service that waits for its restart stays ended when it is stopped', async () => {
  const { service, errors, notes } = await serviceOf(WELL_BEHAVED);
  service.start();
  await service.waitUntilReady(never);
  process.kill(service.pid as number, 'SIGKILL');
  await vi.waitFor(() => expect(errors).toHaveLength(1), WAIT);
  expect(await service.stop()).toBe('was not running');
  expect(notes()).toEqual(['started']);
});

test('exit status 78 is a configuration error, told in its own sentence', async () => {
  const { service } = await serviceOf(`
    console.log(JSON.stringify({ level: 30, msg: 'Starting.' }));
    console.error('FF_DUAL_WRITE_ENABLED is "maybe".');
    process.exitCode = 78;`);
  service.start();
  expect(await service.failed).toEqual({
    exitCode: 78,
    sentence: 'FF_DUAL_WRITE_ENABLED is "maybe".',
  });
});

test('a sentence may also come as a log line of an error', async () => {
  const { service, lines } = await serviceOf(`
    console.log(JSON.stringify({ level: 60, msg: 'Port 8000 is taken.' }));
    console.log(JSON.stringify({ level: 30, msg: 'Goodbye.' }));
    process.exitCode = 78;`);
  service.start();
  expect(await service.failed).toEqual({ exitCode: 78, sentence: 'Port 8000 is taken.' });
  expect(lines).toHaveLength(2);
});

test('exit status 75 fails a first start in its own sentence, and is a restart later', async () => {
  const away = await serviceOf(`console.error('It is away.'); process.exitCode = 75;`);
  away.service.start();
  expect(await away.service.failed).toEqual({ exitCode: 75, sentence: 'It is away.' });

  const { service, errors, notes } = await serviceOf(
    WELL_BEHAVED.replace("() => end('SIGTERM')", '() => process.exit(75)'),
  );
  service.start();
  await service.waitUntilReady(never);
  process.kill(service.pid as number, 'SIGTERM');
  await vi.waitFor(() => expect(notes()).toEqual(['started', 'started']), WAIT);
  expect(errors).toEqual(['The sample ended with status 75; it is started again in 1 s.']);
  service.kill();
});

test('a service that dies before it was ever ready has failed', async () => {
  const { service } = await serviceOf(`throw new Error('a defect');`);
  service.start();
  const { exitCode, sentence } = await service.failed;
  expect(exitCode).toBe(1);
  expect(sentence).toMatch(/^The sample ended with status 1 before it was ready; /);
});

test('a service that does not stop is killed at its deadline', async () => {
  const stubborn = WELL_BEHAVED.replace("() => end('SIGTERM')", "() => note('no')");
  const { service, notes } = await serviceOf(stubborn, 300);
  service.start();
  await service.waitUntilReady(never);
  expect(await service.stop()).toBe('killed');
  expect(notes()).toEqual(['started', 'no']);
});
