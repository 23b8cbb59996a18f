import type { LedgerEntry } from '@tandem/storage/consistency';
import { Badge, type Tone } from './badge.tsx';
import { RelativeTime } from './relative-time.tsx';

interface ClassWords {
  readonly tone: Tone;
  /** What it is, and what to do. */
  readonly sentence: string;
}

const CLASSES: Readonly<Record<LedgerEntry['class'] | 'in-flight', ClassWords>> = {
  'in-flight': {
    tone: 'info',
    sentence: 'Its change is on its way; the next comparison decides it.',
  },
  divergent: {
    tone: 'bad',
    sentence: 'Nothing explains it. A repair writes what the primary has anew.',
  },
  conflict: {
    tone: 'bad',
    sentence: 'Both sides have the same version with other content. Somebody has to choose.',
  },
  fork: {
    tone: 'bad',
    sentence: 'Both sides were changed from the same state. Somebody has to choose.',
  },
  'dead-lettered': {
    tone: 'warn',
    sentence: 'Its change failed for good: see the failed jobs.',
  },
  'mapping-error': {
    tone: 'warn',
    sentence: 'PostgreSQL can’t hold the record as it is: correct it or delete it.',
  },
};

/** In the order in which they ask to be looked at. */
export const CLASS_NAMES = Object.keys(CLASSES) as readonly (keyof typeof CLASSES)[];

export const sentenceOfClass = (name: string): string =>
  CLASSES[name as keyof typeof CLASSES]?.sentence ?? '';

export const ClassBadge = ({ of: name }: { of: string }) => (
  <Badge tone={CLASSES[name as keyof typeof CLASSES]?.tone ?? 'quiet'}>{name}</Badge>
);

/** Open, on its way to be repaired, or how it ended. */
export function EntryState({
  of: { repairedAt, resolvedAt, resolution, resolvedBy },
}: {
  of: LedgerEntry;
}) {
  if (resolvedAt !== null) {
    return (
      <span>
        {resolution} <RelativeTime at={resolvedAt} />
        {resolvedBy !== null && <span class="quiet"> by {resolvedBy}</span>}
      </span>
    );
  }
  if (repairedAt === null) return <Badge tone="warn">open</Badge>;
  return (
    <span>
      repair on its way <RelativeTime at={repairedAt} />
    </span>
  );
}
