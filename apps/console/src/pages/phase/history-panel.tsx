import type { HistoryEntry } from '@tandem/storage/phase';
import { Panel } from '../../parts/panel.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { hrefOf } from '../../router.ts';
import { reasonOfMove } from '../../words.ts';

const SHOWN = 5;

/** What happened to the phase lately. Entries that leave it as it is are told on the audit page. */
export function HistoryPanel({ history }: { history: readonly HistoryEntry[] }) {
  const told = history.filter(({ kind, from, to }) => kind !== 'moved' || from !== to);
  if (told.length === 0) return null;
  return (
    <Panel title="Lately" actions={<a href={hrefOf('audit')}>Everything</a>}>
      <ol class="story">
        {told.slice(0, SHOWN).map((entry) => (
          <li key={`${entry.at} ${entry.kind}`}>
            <RelativeTime at={entry.at} /> {sentenceOf(entry)}{' '}
            <span class="quiet">{whyOf(entry)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

/** In a person's words, or in the system's. */
function whyOf({ kind, reason }: HistoryEntry): string {
  const told = kind === 'moved' ? reasonOfMove(reason) : reason;
  return told === reason ? `“${reason}”` : told;
}

function sentenceOf({ kind, from, to, actor, evidence }: HistoryEntry) {
  if (kind === 'set') return `${actor} asked for ${to}.`;
  if (kind === 'cancel') return `${actor} took it back; the flags ask for ${to}.`;
  const pauseMs = evidence?.pauseMs;
  const pause = typeof pauseMs === 'number' ? `; writes waited ${pauseMs} ms` : '';
  return `${from} → ${to}${pause}.`;
}
