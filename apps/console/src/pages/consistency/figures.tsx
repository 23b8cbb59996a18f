import type { ExternalEdit } from '@tandem/storage/changes';
import { snapshot } from '../../api/snapshot.ts';
import { count, percent } from '../../format.ts';
import type { Tone } from '../../parts/badge.tsx';
import { FigureCard } from '../../parts/figure-card.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { hrefOf } from '../../router.ts';

const OUTCOMES = {
  clean: ['good', 'equal'],
  differences: ['bad', 'they differ'],
  inconclusive: ['warn', 'not decided'],
} as const satisfies Readonly<Record<string, readonly [Tone, string]>>;

/** How both stores stand to each other, at a glance. */
export function Figures({ edits }: { edits: readonly ExternalEdit[] | undefined }) {
  return (
    <div class="figures">
      <LastVerify />
      <OpenDifferences />
      <Readiness />
      <ShadowReads />
      <Edits edits={edits} />
    </div>
  );
}

/** Only PostgreSQL has it: while it is away nothing is said that could be taken for good news. */
const Unknown = ({ name }: { name: string }) => (
  <FigureCard name={name} value="–">
    {snapshot.value === undefined ? 'being read' : 'not known while PostgreSQL is away'}
  </FigureCard>
);

/** Whether it is fresh enough is what the gate of the next switch says. */
function LastVerify() {
  const { trust, migration } = snapshot.value ?? {};
  if (trust == null) return <Unknown name="Compared last" />;
  const last = trust.verify;
  if (last === null) {
    return (
      <FigureCard name="Compared last" value="never" tone="warn">
        nobody has compared the stores yet
      </FigureCard>
    );
  }
  const [tone, word] = OUTCOMES[last.outcome];
  const gate = (migration?.ahead ?? migration?.back)?.gates.find(({ name }) => name === 'verified');
  const isOld = gate?.open === false && last.outcome === 'clean';
  return (
    <FigureCard
      name="Compared last"
      value={word}
      tone={isOld ? 'warn' : tone}
      href={hrefOf('consistency', ['runs', last.id])}
    >
      <RelativeTime at={last.finishedAt} />, {last.mode === 'full' ? 'everything' : 'what changed'}
      {isOld && '; too old for a switch'}
    </FigureCard>
  );
}

function OpenDifferences() {
  const { trust } = snapshot.value ?? {};
  if (trust == null) return <Unknown name="Open differences" />;
  const classes = Object.entries(trust.divergences);
  const open = classes.reduce((sum, [, number]) => sum + number, 0);
  const told = classes.filter(([, number]) => number > 0);
  return (
    <FigureCard name="Open differences" value={count(open)} tone={open === 0 ? 'good' : 'bad'}>
      {told.length === 0
        ? 'none is known'
        : told.map(([name, number]) => `${number} ${name}`).join(', ')}
    </FigureCard>
  );
}

function Readiness() {
  const { trust } = snapshot.value ?? {};
  if (trust == null) return <Unknown name="Rollback readiness" />;
  const { readiness } = trust;
  if (readiness === null) {
    return (
      <FigureCard name="Rollback readiness" value="–">
        known after a comparison
      </FigureCard>
    );
  }
  const { share, failing } = readiness;
  return (
    <FigureCard
      name="Rollback readiness"
      value={percent(share)}
      tone={failing === 0 ? 'good' : 'warn'}
    >
      {failing === 0 ? 'every record would come back' : `${count(failing)} would not come back`}
    </FigureCard>
  );
}

function ShadowReads() {
  const { work } = snapshot.value ?? {};
  if (work == null) return <Unknown name="Shadow reads" />;
  const { mismatch, equal, lag } = work.shadowReads;
  const compared = mismatch + equal + lag;
  return (
    <FigureCard
      name="Shadow reads"
      value={`${count(mismatch)} of ${count(compared)}`}
      tone={compared === 0 ? 'quiet' : mismatch === 0 ? 'good' : 'bad'}
      href={hrefOf('consistency', [], { foundBy: 'shadow-read', state: 'all' })}
    >
      {compared === 0 ? 'none since the start' : 'read differently, since the start'}
    </FigureCard>
  );
}

function Edits({ edits }: { edits: readonly ExternalEdit[] | undefined }) {
  const open = edits?.filter(({ status }) => status === 'open').length;
  return (
    <FigureCard
      name="Edits from outside"
      value={count(open)}
      tone={open === undefined ? 'quiet' : open === 0 ? 'good' : 'bad'}
    >
      {open === 0 ? 'none waits for a decision' : 'wait for a decision'}
    </FigureCard>
  );
}
