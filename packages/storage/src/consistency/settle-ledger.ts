import { compareStamps, type Stamp } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { DivergenceLedger, LedgerEntry, Resolution } from './divergence-ledger.ts';
import { type Heard, type Looks, stateOf } from './looks.ts';

/** Entries looked at together; at most the ids of one `entries` call. */
const PAGE_ENTRIES = 1_000;

export interface SettleOptions {
  readonly ledger: DivergenceLedger;
  readonly looks: Looks;
  readonly collections: readonly Collection[];
  /** Of the run that settles; entries that it has seen already are left out. */
  readonly runId: number;
  /** Told what stands, or is on its way. */
  readonly heard: Pick<Heard, 'found' | 'undecided'>;
}

/**
 * Looks at every open entry of the ledger that the run has not met, and ends those on whose subject the
 * stores agree by now. Forks and conflicts that applying met stay open: only a person ends them (I4).
 */
export async function settleLedger(options: SettleOptions): Promise<void> {
  const { ledger, runId } = options;
  let after = 0;
  for (;;) {
    const page = await ledger.find(
      { isOpen: true, notOfRun: runId },
      { limit: PAGE_ENTRIES, after },
    );
    const entries = page.filter(({ foundBy }) => foundBy !== 'apply');
    await closeAgreed(options, entries);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ENTRIES) return;
    after = last.id;
  }
}

async function closeAgreed(
  { ledger, looks, collections, runId, heard }: SettleOptions,
  entries: readonly LedgerEntry[],
): Promise<void> {
  const byName = new Map(entries.map((entry) => [JSON.stringify(entry.subject), entry]));
  const ended = new Map<Resolution, number[]>();
  const all: Heard = {
    found: (difference) => heard.found(difference),
    undecided: (difference, moved) => heard.undecided(difference, moved),
    equal(subject, primary) {
      const entry = byName.get(JSON.stringify(subject));
      if (entry === undefined) return;
      const how = endingOf(entry, primary);
      ended.set(how, [...(ended.get(how) ?? []), entry.id]);
    },
  };
  for (const collection of collections) {
    const candidates = entries.flatMap((entry) =>
      'key' in entry.subject || entry.subject.collection !== collection.name
        ? []
        : [{ subject: entry.subject.id, primaryState: stateSeen(entry) }],
    );
    if (candidates.length > 0) await looks.records(collection, candidates, all);
  }
  const keys = entries.flatMap(({ subject, primary }) =>
    'key' in subject ? [{ subject: subject.key, primaryState: primary?.text ?? '' }] : [],
  );
  if (keys.length > 0) await looks.keys(keys, all);
  for (const [resolution, ids] of ended) {
    const reason = `Verify ${runId} no longer found it.`;
    await ledger.close(ids, { resolution, by: `verify ${runId}`, reason });
  }
}

const stateSeen = ({ primary }: LedgerEntry): string =>
  stateOf(primary?.epoch === undefined ? undefined : (primary as Stamp & { text: string | null }));

/** How an entry ended whose sides agree. Pure. */
function endingOf({ repairedAt, primary }: LedgerEntry, now: Stamp | undefined): Resolution {
  if (repairedAt !== null) return 'repaired';
  const before = primary?.epoch === undefined ? undefined : (primary as Stamp);
  const hasMoved = now !== undefined && (before === undefined || compareStamps(now, before) > 0);
  return hasMoved ? 'superseded' : 'by-itself';
}
