import { expect, test } from 'vitest';
import { type JsonSession, jsonWasRestored, withSession } from './lineage.ts';
import { type MeetingFacts, recognise } from './recognise.ts';

const lineage: readonly JsonSession[] = [
  { id: 's1', batch: 0 },
  { id: 's2', batch: 40 },
  { id: 's3', batch: 90 },
];
const here = { session: 's3', batch: 120 };

test('I12: a JSON store is itself while its openings reach what was seen of it', () => {
  const restored = (session: string, batch: number) =>
    jsonWasRestored(lineage, here, { session, batch });
  expect(jsonWasRestored(lineage, here, null)).toBe(false);
  expect([restored('s1', 40), restored('s1', 41)]).toEqual([false, true]);
  expect([restored('s2', 90), restored('s2', 91)]).toEqual([false, true]);
  expect([restored('s3', 120), restored('s3', 121)]).toEqual([false, true]);
  expect(restored('another', 1)).toBe(true);
});

test('every opening is one more session, and the oldest are forgotten', () => {
  let sessions = withSession(undefined, 0);
  expect(sessions).toMatchObject([{ batch: 0 }]);
  for (let batch = 1; batch <= 200; batch += 1) sessions = withSession(sessions, batch);
  expect(sessions).toHaveLength(64);
  expect(sessions.at(-1)?.batch).toBe(200);
  expect(new Set(sessions.map(({ id }) => id)).size).toBe(64);
});

const facts = (
  phase: MeetingFacts['json']['phase'],
  { jsonBack = false, identity = 'a', walBytes = 100 },
): MeetingFacts => ({
  json: {
    ...{ pairId: 'pair', epoch: 3, phase, sealed: false, committing: null },
    ...{ catchUpSince: null, lastKnownFlags: null, lineage },
    seenPostgres: { identity: 'a', walBytes: 100 },
  },
  jsonPosition: here,
  postgres: {
    here: { identity, walBytes },
    seenJson: { session: 's3', batch: jsonBack ? 121 : 120 },
  },
});

test('I12: what was put back is compared when it is primary, and caught up when it is secondary', () => {
  const older = { walBytes: 99 };
  const another = { identity: 'b', walBytes: 500 };
  const jsonBack = { jsonBack: true };
  expect(recognise(facts('json-primary', { walBytes: 101 }))).toEqual({ act: 'known' });
  expect(recognise(facts('json-primary', jsonBack))).toEqual({ act: 'compare', primary: 'json' });
  for (const back of [older, another]) {
    expect(recognise(facts('json-primary', back))).toMatchObject({ secondary: 'postgres' });
    expect(recognise(facts('postgres-primary', back))).toEqual({
      ...{ act: 'compare', primary: 'postgres' },
    });
  }
  expect(recognise(facts('postgres-primary', jsonBack))).toMatchObject({ secondary: 'json' });
  const both = { ...jsonBack, ...older };
  expect(recognise(facts('json-primary', both))).toMatchObject({ primary: 'json' });
  expect(recognise(facts('postgres-primary', both))).toMatchObject({ primary: 'postgres' });
  for (const phase of ['json-only', 'postgres-only'] as const) {
    expect(recognise(facts(phase, both)), 'nothing follows').toEqual({ act: 'known' });
  }
});
