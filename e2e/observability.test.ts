import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@tandem/embedded-postgres';
import { expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { newDatabase } from './database.ts';
import { reach } from './phase-flags.ts';
import { query } from './record-client.ts';
import { root, startTandem, temporaryFolder } from './tandem-process.ts';
import { type ReceivedSpan, startCollector } from './telemetry/collector.ts';
import { type Exposition, readExposition } from './telemetry/exposition.ts';
import { selectorsOf } from './telemetry/promql.ts';

const WAIT = { timeout: 45_000, interval: 100 };
const TOKEN = 'the-token-of-this-test';
const BODY = JSON.stringify({
  ...{ date: '2025-12-07', category: 'Food', amount: 1.5, account: 'Cash' },
});
/** Prometheus adds these to every series. */
const OF_PROMETHEUS = ['instance', 'job', 'le'];

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook: string };
}

const documented = (path: string): string => readFileSync(join(root, 'docs', path), 'utf8');

const alerts = (): readonly Alert[] =>
  parse(documented('alerts.yaml')).groups.flatMap(({ rules }: { rules: Alert[] }) => rules);

/** Every expression of the dashboard, Grafana's own variable replaced. */
function dashboardExpressions(): string[] {
  const { panels, annotations } = JSON.parse(documented('dashboards/tandem.json'));
  const targets: { expr: string }[] = [
    ...panels.flatMap(({ targets = [] }: { targets?: { expr: string }[] }) => targets),
    ...annotations.list,
  ];
  return targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m'));
}

/** Fails unless every selector names a series that one of the processes exposes, with its labels. */
function expectAnswerable(expression: string, exposed: readonly Exposition[]): void {
  for (const { series, labels } of selectorsOf(expression)) {
    const known = exposed.flatMap((one) =>
      one.series.has(series) ? [one.series.get(series)] : [],
    );
    expect(known, `${series} of ${expression}`).not.toEqual([]);
    const seen = new Set([...OF_PROMETHEUS, ...known.flatMap((names) => [...(names ?? [])])]);
    // A series that has no line yet can't show its labels.
    if (seen.size > OF_PROMETHEUS.length)
      expect([...seen], expression).toEqual(expect.arrayContaining([...labels]));
  }
}

test('every alert has its section in the runbook, and every section its alert', () => {
  const sections = [...documented('runbook.md').matchAll(/^## (Tandem.+)$/gm)].map(
    ([, name]) => name,
  );
  expect(alerts().map(({ alert }) => alert)).toEqual(sections);
  for (const { alert, annotations } of alerts()) {
    expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
  }
});

test('a write is counted and traced from the request to the secondary, and reads are shadowed, in both dual phases', async () => {
  const collector = await startCollector();
  const url = await newDatabase();
  const workerPort = await freePort();
  const tandem = startTandem({
    ...{ DATA_DIR: temporaryFolder(), DATABASE_URL: url, OPERATOR_TOKEN: TOKEN },
    ...{ WORKER_PORT: String(workerPort), SHADOW_READ_RATE: '1' },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '100' },
  });
  const origin = await tandem.ready();
  const worker = `http://127.0.0.1:${workerPort}`;
  const scrape = async (from: string): Promise<Exposition> => {
    const answer = await fetch(`${from}/metrics`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    return readExposition(await answer.text());
  };
  const until = (from: string, name: string, labels: Record<string, string>, value: number) =>
    vi.waitUntil(async () => (await scrape(from)).value(name, labels) === value, WAIT);

  /** Creates a record under a trace of the caller's; resolves with its spans by name. */
  const traced = async (apply: string): Promise<Map<string, ReceivedSpan>> => {
    const traceId = crypto.randomUUID().replaceAll('-', '');
    const answer = await fetch(`${origin}/api/v1/expense`, {
      method: 'POST',
      body: BODY,
      headers: {
        'content-type': 'application/json',
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      },
    });
    expect(answer.status).toBe(200);
    const names = () => collector.spans(traceId).map(({ name }) => name);
    await vi.waitUntil(() => names().includes(apply), WAIT);
    await vi.waitUntil(() => names().includes('POST /api/v1/expense'), WAIT);
    return new Map(collector.spans(traceId).map((span) => [span.name, span]));
  };
  const expectHanging = (spans: Map<string, ReceivedSpan>, names: readonly string[]): void => {
    const request = spans.get('POST /api/v1/expense');
    expect(request).toMatchObject({ service: 'tandem-api', parentSpanId: '00f067aa0ba902b7' });
    expect([...spans.keys()].sort()).toEqual([...names, 'POST /api/v1/expense'].sort());
    for (const name of names) expect(spans.get(name)?.parentSpanId).toBe(request?.spanId);
  };

  // What is written before the relay has met PostgreSQL is brought there by difference, without a job.
  await until(origin, 'tandem_relay_state', { state: 'waiting' }, 1);
  const jsonPrimary = await traced('apply write-to-postgres');
  const ofJson = ['journal commit', 'enqueue write-to-postgres', 'apply write-to-postgres'];
  expectHanging(jsonPrimary, ofJson);
  expect(jsonPrimary.get('apply write-to-postgres')).toMatchObject({
    service: 'tandem-worker',
    attributes: { 'tandem.collection': 'expense', 'tandem.end': 'applied' },
  });
  // A shadow read that finds the stores equal, in this phase and in the next.
  const get = () => fetch(`${origin}/api/v1/expense/1`);
  const equalReads = { collection: 'expense', op: 'get', end: 'equal' };
  const shadowed = async (reads: number) => {
    await vi.waitUntil(async () => {
      await get();
      return ((await scrape(origin)).value('tandem_shadow_reads_total', equalReads) ?? 0) >= reads;
    }, WAIT);
  };
  await shadowed(1);
  expect(await (await scrape(origin)).value('tandem_phase', { phase: 'json-primary' })).toBe(1);

  await reach(url, origin, 'postgres-primary');
  const ofPostgres = ['postgres commit', 'apply write-to-json'];
  expectHanging(await traced('apply write-to-json'), ofPostgres);
  const before = (await scrape(origin)).value('tandem_shadow_reads_total', equalReads) ?? 0;
  await shadowed(before + 1);

  // A record that somebody edits in one store: found by reading it, and listed.
  await query(url, `UPDATE expenses SET notes = 'typed' WHERE id = 1`);
  await get();
  await until(origin, 'tandem_shadow_reads_total', { op: 'get', end: 'mismatch' }, 1);
  await until(origin, 'tandem_divergences_open', { class: 'conflict' }, 1);
  expect(await query(url, 'SELECT found_by, record_id FROM divergences')).toMatchObject([
    { found_by: 'shadow-read' },
  ]);

  for (const from of [origin, worker]) {
    expect((await fetch(`${from}/metrics`)).status).toBe(401);
    await until(from, 'tandem_queue_jobs', { queue: 'write-to-json', state: 'waiting' }, 0);
  }
  for (const from of [origin, worker]) {
    await until(from, 'tandem_refused_authentications_total', { kind: 'missing' }, 1);
  }
  await until(worker, 'tandem_gate_open', { gate: 'dead letters' }, 1);
  const [api, working] = [await scrape(origin), await scrape(worker)];
  expect(api.value('tandem_writes_total', { op: 'create', outcome: 'created' })).toBe(2);
  expect(api.value('tandem_journal_sync_duration_seconds_count')).toBeGreaterThan(0);
  expect(api.value('tandem_phase', { phase: 'postgres-primary' })).toBe(1);
  expect(api.value('tandem_switch_pause_seconds_count')).toBe(1);
  // The api that lets go of the store leaves its files as a clean stop does.
  expect(api.value('tandem_checkpoint_duration_seconds_count')).toBeGreaterThan(0);
  for (const direction of ['postgres', 'json']) {
    const applied = { direction, end: 'applied' };
    expect(working.value('tandem_secondary_writes_total', applied)).toBe(1);
    expect(working.value('tandem_replication_lag_seconds_count', { direction })).toBe(1);
  }
  for (const expression of [...dashboardExpressions(), ...alerts().map(({ expr }) => expr)]) {
    expectAnswerable(expression, [api, working]);
  }
  expect(await tandem.interrupt()).toBe(0);
  expect(tandem.output()).not.toContain(TOKEN);
}, 120_000);
