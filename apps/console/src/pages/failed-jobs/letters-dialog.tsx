import { useEffect, useRef, useState } from 'preact/hooks';
import { type Asked, useAsked } from '../../api/asked.ts';
import { send } from '../../api/client.ts';
import { count, counted } from '../../format.ts';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { Loading } from '../../parts/empty-state.tsx';
import { Facts } from '../../parts/facts.tsx';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { STORE_NAMES } from '../../words.ts';
import { type ActTotal, actInSteps } from './act-in-steps.ts';
import type { ActWords, LettersAnswer, Meant } from './letters.ts';

/** Kinds of failure that a preview lists. */
const GROUPS_SHOWN = 5;

/** Shows what an act on dead letters would touch, and does it once it was confirmed. */
export function LettersDialog({
  words,
  meant,
  what,
  close,
  done,
}: {
  words: ActWords;
  meant: Meant;
  /** Which are meant, e.g. `the selected ones`. */
  what: string;
  close: () => void;
  /** Something has changed. */
  done: () => void;
}) {
  const { act, verb, isGrave } = words;
  const [progress, setProgress] = useState<ActTotal | null>(null);
  const [look, setLook] = useState(1);
  const stopped = useRef(new AbortController());
  useEffect(() => () => stopped.current.abort(), []);
  const preview = useAsked(`${act} ${JSON.stringify(meant)} ${look}`, () => {
    const reason = 'Shown in the console.';
    return send<LettersAnswer>('POST', `/dead-letters/${act}`, { ...meant, reason, dryRun: true });
  });
  const matched = preview.state === 'answered' ? preview.answer.matched : 0;
  const isMany = matched > 1;
  return (
    <ActDialog
      title={`${verb} ${what}`}
      verb={matched === 0 ? verb : `${verb} ${counted(matched, 'letter')}`}
      isGrave={isGrave}
      close={close}
      confirmation={isMany || isGrave ? `${act} ${matched}` : undefined}
      isBlocked={matched === 0}
      lookAgain={() => setLook(look + 1)}
      act={async (reason) => {
        const total = await actInSteps({
          ...{ act, meant, reason, expectedCount: matched, onProgress: setProgress },
          signal: stopped.current.signal,
        });
        done();
        return sentenceOf(words, total);
      }}
    >
      <p>{words.sentence}</p>
      <Preview of={preview} verb={words.done} />
      {progress !== null && (
        <div class="meter">
          <progress
            value={matched - progress.remaining}
            max={matched}
            aria-label={`${verb}: how far`}
          />
          <p role="status">
            {count(matched - progress.remaining)} of {count(matched)}
          </p>
        </div>
      )}
    </ActDialog>
  );
}

function sentenceOf({ done }: ActWords, { changed, skipped, remaining }: ActTotal): string {
  const were = `${counted(changed, 'letter')} ${changed === 1 ? 'was' : 'were'} ${done}`;
  const gone = skipped === 0 ? '' : `, ${count(skipped)} were gone before their turn`;
  const left = remaining === 0 ? '' : `, ${count(remaining)} are left`;
  return `${were}${gone}${left}.`;
}

function Preview({ of: preview, verb }: { of: Asked<LettersAnswer>; verb: string }) {
  if (preview.state === 'asking') return <Loading what="what it would touch" />;
  if (preview.state === 'refused') return <ProblemNote problem={preview.problem} />;
  const { matched, remaining, skipped, groups } = preview.answer;
  if (matched === 0) return <p>None matches any more: there is nothing to do.</p>;
  const more = groups.length - GROUPS_SHOWN;
  return (
    <>
      <Facts
        of={[
          ['Match', count(matched)],
          [`Would be ${verb}`, count(remaining)],
          ['Would be skipped', count(skipped)],
        ]}
      />
      <h3>By kind of failure</h3>
      <ul>
        {groups.slice(0, GROUPS_SHOWN).map((group) => (
          <li key={`${group.direction} ${group.fingerprint}`}>
            {count(group.count)} to {STORE_NAMES[group.direction]}: {group.template}
          </li>
        ))}
        {more > 0 && <li>and {counted(more, 'other kind')}</li>}
      </ul>
    </>
  );
}
