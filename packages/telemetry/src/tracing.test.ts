import type { Item } from '@tandem/storage/changes';
import { silentLog } from '@tandem/storage/log';
import { recordingLog } from '@tandem/storage/testing';
import { expect, test } from 'vitest';
import { startTracing, type Tracing } from './tracing.ts';

/** Nobody listens on the discard port. */
const NOBODY = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
const CALLER = '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7';

async function tracing(more: Record<string, string> = {}, log = silentLog): Promise<Tracing> {
  const started = await startTracing('api', { ...NOBODY, ...more }, log);
  if (started === undefined) throw new Error('It is not on.');
  return started;
}

test('without an endpoint, or switched off, nothing is traced', async () => {
  expect(await startTracing('api', {}, silentLog)).toBeUndefined();
  const blank = { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' };
  expect(await startTracing('api', blank, silentLog)).toBeUndefined();
  expect(
    await startTracing('api', { ...NOBODY, OTEL_SDK_DISABLED: 'true' }, silentLog),
  ).toBeUndefined();
});

test('a caller’s trace goes on as the caller decided; a header that is none begins a new one', async () => {
  const { begin, stop } = await tracing();
  const carried = (traceparent?: string) => begin({ method: 'POST', traceparent }).traceparent;
  expect(carried(`00-${CALLER}-01`)).toMatch(
    /^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/,
  );
  expect(carried(`00-${CALLER}-00`)).toBeUndefined();
  for (const odd of [undefined, '', 'a trace', `ff-${CALLER}-01`, '00-0-0-01', '00-00-01']) {
    expect(carried(odd)).toMatch(/^00-(?!4bf92f35)[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  }
  await stop();
  const none = await tracing({ OTEL_TRACES_SAMPLER_ARG: '0' });
  expect(none.begin({ method: 'POST', traceparent: undefined }).traceparent).toBeUndefined();
  await none.stop();
});

test('I5: a collector that is away is said once, and keeps nobody waiting', async () => {
  const log = recordingLog();
  const { begin, observer, stop } = await tracing({ OTEL_BSP_SCHEDULE_DELAY: '1' }, log);
  const trace = `00-${CALLER}-01`;
  const change = {
    ...{ collection: 'expense', id: 5, epoch: 1, version: 1, base: null, at: '' },
    ...{ op: 'create' as const, record: '{}' },
  };
  const item: Item = { kind: 'change', change, trace };
  const span = { startedMs: 1, endedMs: 2 };
  for (let n = 0; n < 20; n++) {
    begin({ method: 'POST', traceparent: trace }).end({ route: '/', status: 503 });
    observer.committed({
      store: 'json',
      items: 1,
      written: 1,
      bytes: 1,
      traces: [trace, 'no trace'],
      ...span,
    });
    observer.relayed({ items: [item, { ...item, trace: 'no trace' }], ...span });
    observer.applied({ direction: 'postgres', jobs: [{ item, end: 'applied' }], ...span });
  }
  await stop();
  expect(log.sentences('warn').length).toBeLessThanOrEqual(1);
  expect(log.sentences('error')).toEqual([]);
});
