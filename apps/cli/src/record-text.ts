import type { Stamp } from '@tandem/storage/changes';
import type { RecordXray, StoreSide } from '@tandem/storage/xray';
import { type Cell, textTable } from './text-table.ts';

/** Characters of a text that a table line has room for. */
const TEXT_CHARACTERS_MAX = 100;
/** States of the history that are listed; `--json` has all that are kept. */
const HISTORY_MAX = 20;

const stampOf = (stamp: Stamp | null | undefined): string =>
  stamp === undefined ? '?' : stamp === null ? '–' : `${stamp.epoch}-${stamp.version}`;

const cut = (text: string): string =>
  text.length > TEXT_CHARACTERS_MAX ? `${text.slice(0, TEXT_CHARACTERS_MAX)}…` : text;

const table = (names: readonly string[], rows: readonly (readonly Cell[])[]): string[] =>
  rows.length === 0
    ? []
    : [
        '',
        ...textTable(
          names.map((name) => ({ name })),
          rows,
        ),
      ];

/** A record's X-ray for a person. */
export function recordAsText(xray: RecordXray): string {
  const { collection, id, phase, primary, notRelayed, jobs } = xray;
  const lines = [
    `${collection} ${id}: ${xray.verdict}`,
    phase === null ? 'The phase is not known.' : `${phase}, ${primary} is primary; seen ${xray.at}`,
    ...table(
      ['store', 'epoch', 'state', 'version', 'made from'],
      [sideRow('json', xray.json), sideRow('postgres', xray.postgres)],
    ),
    ...table(
      ['', 'field', 'json', 'postgres'],
      xray.fields.map(({ name, json, postgres, differs }) => [
        ...[differs === true ? '≠' : '', name, cut(json ?? '–'), cut(postgres ?? '–')],
      ]),
    ),
    ...table(
      ['job', 'to', 'state', 'change', 'failures', 'error'],
      (jobs ?? []).map(({ jobId, direction, state, change, failures, error }) => [
        ...[jobId, direction, state, `${change.op} ${stampOf(change)}`, String(failures)],
        cut(error ?? ''),
      ]),
    ),
  ];
  if (jobs === null) lines.push('', 'The queue can’t be read.');
  if (notRelayed !== null && notRelayed.length > 0) {
    const stamps = notRelayed.map(({ seq, stamp }) => `${stampOf(stamp)} (outbox ${seq})`);
    lines.push('', `In the journal, not in the queue yet: ${stamps.join(', ')}`);
  }
  return [...lines, ...pastAsText(xray)].join('\n');
}

const sideOf = (side: Partial<Stamp> | undefined): string =>
  side === undefined ? '–' : `${side.epoch ?? '?'}-${side.version ?? '?'}`;

function sideRow(name: string, side: StoreSide): Cell[] {
  if (!side.readable) return [name, '?', cut(side.problem), '', ''];
  const { epoch, state, stamp, base, mappingError } = side;
  const told = mappingError ? `${state}, a mapping error` : state;
  return [name, String(epoch), told, stampOf(stamp), stamp === null ? '' : stampOf(base)];
}

function pastAsText({ history, divergences, acts, keys }: RecordXray): string[] {
  return [
    ...table(
      ['version', 'change', 'at', 'made from', 'known from'],
      history
        .slice(0, HISTORY_MAX)
        .map((state) => [
          ...[stampOf(state), state.op ?? '?', state.at ?? '?', stampOf(state.base)],
          state.knownFrom.join(', '),
        ]),
    ),
    ...(history.length > HISTORY_MAX ? [`(${HISTORY_MAX} of ${history.length})`] : []),
    ...table(
      ['ledger', 'found by', 'since', 'primary', 'secondary', 'ended'],
      divergences.map((one) => [
        ...[one.class, one.foundBy, one.firstSeen, sideOf(one.primary), sideOf(one.secondary)],
        one.resolvedAt === null ? 'no' : `${one.resolvedAt} ${one.resolution ?? ''}`,
      ]),
    ),
    ...table(
      ['act', 'at', 'by', 'version', 'reason'],
      acts.map((act) => [act.action, act.at, act.actor, stampOf(act), act.reason]),
    ),
    ...table(
      ['idempotency key', 'at', 'known to'],
      keys.map(({ key, at, knownTo }) => [cut(key), at, knownTo.join(', ')]),
    ),
  ];
}
