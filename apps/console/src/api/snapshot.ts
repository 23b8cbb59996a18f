//   polling ── every 2 s, 0.5 s while the phase moves ──▶ polling
//      │ hidden                                 ▲ no answer: the last data stays, marked as old
//      └──────▶ paused ── visible: at once ─────┘
import { computed, effect, signal } from '@preact/signals';
import type { Snapshot, SnapshotSamples } from '@tandem/telemetry/snapshot';
import { ask } from './client.ts';
import { now } from './clock.ts';
import { asProblem } from './problem.ts';
import { session } from './session.ts';

const POLL_INTERVAL_MS = 2_000;
const POLL_MOVING_MS = 500;
const POLL_TIMEOUT_MS = 8_000;
/** Older data is marked as such. */
const FRESH_FOR_MS = 7_000;
const SAMPLES_KEPT_MS = 30 * 60_000;

/** As last heard; samples are gathered over the polls. */
export const snapshot = signal<Snapshot | undefined>();
/** When the api was heard last, by this browser's clock. */
const heardAtMs = signal<number | undefined>();
/** Why it was not, since. */
export const silence = signal<string | null>(null);

/** Age of what is shown in ms; `undefined` before the first. */
export const dataAgeMs = computed(() =>
  heardAtMs.value === undefined ? undefined : Math.max(0, now.value - heardAtMs.value),
);
export const isStale = computed(
  () => silence.value !== null || (dataAgeMs.value ?? 0) > FRESH_FOR_MS,
);

/** The effective phase: what the stores say, or this api alone while PostgreSQL can't be asked. */
export const effectivePhase = computed(() => {
  const { migration, api, database } = snapshot.value ?? {};
  if (migration === undefined || migration === null || database?.problem !== null) {
    return api?.effective;
  }
  return migration.phase.epoch >= (api?.epoch ?? 0) ? migration.phase.effective : api?.effective;
});
export const desiredPhase = computed(() => {
  const { migration, api, database } = snapshot.value ?? {};
  return database?.problem === null ? migration?.phase.desired : api?.desired;
});
export const isMoving = computed(
  () => effectivePhase.value !== undefined && desiredPhase.value !== effectivePhase.value,
);

let etag: string | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let polling = false;

/** Polls while there is a session and somebody may see the page. */
export function startPolling(): void {
  document.addEventListener('visibilitychange', () => pollNow());
  effect(() => {
    if (session.value.state === 'in') pollNow();
    else forget();
  });
}

/** Polls out of turn: something was just done. */
export function pollNow(): void {
  clearTimeout(timer);
  if (polling || document.hidden || session.peek().state !== 'in') return;
  polling = true;
  void poll().finally(() => {
    polling = false;
    timer = setTimeout(pollNow, isMoving.peek() ? POLL_MOVING_MS : POLL_INTERVAL_MS);
  });
}

async function poll(): Promise<void> {
  const after = snapshot.peek()?.samples.at.at(-1);
  const path = after === undefined ? '/snapshot' : `/snapshot?after=${after}`;
  try {
    const answer = await ask<Snapshot>('GET', path, { etag, timeoutMs: POLL_TIMEOUT_MS });
    if (session.peek().state !== 'in') return;
    etag = answer.etag;
    if (answer.value !== undefined) {
      const samples = joined(snapshot.peek()?.samples, answer.value.samples);
      snapshot.value = { ...answer.value, samples };
    }
    heardAtMs.value = Date.now();
    now.value = Date.now();
    silence.value = null;
  } catch (error) {
    silence.value = asProblem(error).message;
  }
}

function joined(old: SnapshotSamples | undefined, fresh: SnapshotSamples): SnapshotSamples {
  if (old === undefined) return fresh;
  const oldestMs = Date.now() - SAMPLES_KEPT_MS;
  // The last one before the half hour still says how it stood at its beginning.
  const from = Math.max(
    0,
    old.at.findLastIndex((at) => at <= oldestMs),
  );
  const names = Object.keys(fresh) as (keyof SnapshotSamples)[];
  const columns = names.map((name) => [name, [...old[name].slice(from), ...fresh[name]]]);
  return Object.fromEntries(columns) as SnapshotSamples;
}

function forget(): void {
  clearTimeout(timer);
  snapshot.value = undefined;
  heardAtMs.value = undefined;
  silence.value = null;
  etag = undefined;
}
