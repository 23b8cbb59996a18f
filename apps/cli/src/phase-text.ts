import type {
  HistoryEntry,
  PhaseAnswer,
  PhaseReport,
  PlannedStep,
  ResolvedFlags,
} from '@tandem/storage/phase';
import { catchUpsAsText } from './backfill-command.ts';
import { textTable } from './text-table.ts';

/** Characters. */
const EVIDENCE_WIDTH = 60;

/** The flags with their sources, as a table. */
export const flagsAsText = (flags: ResolvedFlags['flags']): string[] =>
  textTable(
    [{ name: 'flag' }, { name: 'value' }, { name: 'source' }, { name: 'reason' }],
    Object.entries(flags).map(([name, { value, source, reason }]) => [
      ...[name, String(value)],
      ...[source, reason],
    ]),
  );

/** The phase for a person. */
export function phaseAsText(report: PhaseReport): string {
  const { effective, desired, epoch, waitingFor, disagreement, intent, flags, source } = report;
  const lines = [
    `Phase        ${effective}${desired === effective ? '' : `, desired ${desired}`} (epoch ${epoch})`,
  ];
  if (waitingFor !== null) lines.push(`Waiting for  ${waitingFor}`);
  if (intent !== null) {
    const { act, at, actor, reason } = intent;
    const what = act === 'set' ? `set ${intent.desired}` : `cancel, back to ${intent.desired}`;
    lines.push(`Last asked   ${what} (${actor}, ${at}): ${reason}`);
  }
  lines.push(...catchUpsAsText(report.catchUps));
  lines.push('', ...flagsAsText(flags));
  if (source === 'asked') lines.push('', 'No api or worker runs: so the flags read from here.');
  if (disagreement !== null) lines.push('', disagreement);
  return lines.join('\n');
}

/** Moves and what was asked for, newest first. */
export function historyAsText(entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return 'Nothing yet.';
  return textTable(
    [
      ...[{ name: 'when' }, { name: 'what' }, { name: 'epoch', alignRight: true }],
      ...[{ name: 'who' }, { name: 'why' }, { name: 'evidence' }],
    ],
    entries.map(({ at, kind, from, to, epoch, actor, reason, evidence }) => [
      ...[at, from === null ? `${kind} ${to}` : from === to ? to : `${from} → ${to}`],
      ...[epoch === null ? null : String(epoch), actor, reason],
      evidenceOf(evidence),
    ]),
  ).join('\n');
}

/** In a line; `--json` has all of it. */
function evidenceOf(evidence: HistoryEntry['evidence']): string | null {
  if (evidence === null || Object.keys(evidence).length === 0) return null;
  const text = JSON.stringify(evidence);
  return text.length > EVIDENCE_WIDTH ? `${text.slice(0, EVIDENCE_WIDTH)}…` : text;
}

/** What was asked for and what it leads to. */
export function answerAsText({ effective, desired, dryRun, steps }: PhaseAnswer): string {
  const asked = dryRun ? 'Nothing was written.' : `The flags ask for ${desired} now.`;
  if (steps.length === 0) return `${asked} The phase is ${effective} already.`;
  return [asked, ...steps.flatMap((step, index) => ['', ...stepAsText(step, index + 1)])].join(
    '\n',
  );
}

function stepAsText({ from, to, what, gates, pause }: PlannedStep, number: number): string[] {
  const lines = [
    `${number}. ${from} → ${to}: ${what}`,
    `   Writes wait about ${pause.ms} ms (${pause.basis}).`,
  ];
  if (gates.length === 0) return lines;
  const table = textTable(
    [
      { name: 'gate' },
      { name: 'open' },
      { name: 'is' },
      { name: 'needed' },
      { name: 'opens when' },
    ],
    gates.map(({ name, open, value, needed, opensWhen }) => [
      ...[name, open === null ? '?' : open ? 'yes' : 'no', String(value), needed],
      open === true ? null : opensWhen,
    ]),
  );
  return [...lines, ...table.map((line) => `   ${line}`)];
}
