import type { Snapshot } from '@tandem/telemetry/snapshot';
import { now } from '../api/clock.ts';
import { effectivePhase, snapshot } from '../api/snapshot.ts';
import { count, decimal, duration } from '../format.ts';
import type { Tone } from '../parts/badge.tsx';
import { EmptyState, Loading } from '../parts/empty-state.tsx';
import { FigureCard } from '../parts/figure-card.tsx';
import { Panel } from '../parts/panel.tsx';
import { RelativeTime } from '../parts/relative-time.tsx';
import { type ChartMark, TimeChart } from '../parts/time-chart.tsx';
import { hrefOf } from '../router.ts';
import { flowOf, PHASE_WORDS } from '../words.ts';
import { QueuesPanel } from './replication/queues-panel.tsx';

const SHOWN_MS = 30 * 60_000;
/** An api that has just begun has little to show. */
const SHOWN_MIN_MS = 5 * 60_000;
/** A lag that wants to be looked at, in seconds. */
const LAG_WARN_S = 30;
const BACKLOG_WARN = 2_000;

/** How far the secondary is behind, and how fast it follows. */
export function ReplicationPage() {
  const { value } = snapshot;
  const effective = effectivePhase.value;
  if (value === undefined || effective === undefined) return <Loading what="the replication" />;
  const follows = PHASE_WORDS[effective].secondary !== null;
  return (
    <>
      <p>{flowOf(effective)}</p>
      {!follows && (
        <Panel title="Nothing is replicated">
          <EmptyState title={`In ${effective} one store alone is written.`}>
            What is left in the queues is still worked off; the other store is brought up to date
            when it follows again.
          </EmptyState>
        </Panel>
      )}
      <Figures of={value} />
      <Charts of={value} />
      <QueuesPanel of={value} />
    </>
  );
}

function Figures({ of: { samples, queues, journalPending } }: { of: Snapshot }) {
  const last = (column: readonly (number | null)[]) => column.at(-1) ?? null;
  // The journal this api knows by itself; what the queues hold, and how old it is, only PostgreSQL.
  const [backlog, lag] =
    queues === null ? [journalPending, null] : [last(samples.backlog), last(samples.lag)];
  const dead =
    queues && Object.values(queues).reduce((total, { deadLetters }) => total + deadLetters, 0);
  const [written, applied] = [last(samples.written), last(samples.applied)];
  const failed = last(samples.failed);
  return (
    <div class="figures">
      <FigureCard
        name="Backlog"
        value={count(backlog)}
        tone={queues === null ? 'quiet' : toneOf(backlog, BACKLOG_WARN)}
      >
        {queues === null ? 'in the journal; the queues are not known' : 'changes not applied yet'}
      </FigureCard>
      <FigureCard
        name="Lag"
        value={lag === null ? '–' : duration(lag * 1_000)}
        tone={toneOf(lag, LAG_WARN_S)}
      >
        behind the primary
      </FigureCard>
      <FigureCard name="Written" value={decimal(written)} tone="info">
        a second, to the primary
      </FigureCard>
      <FigureCard name="Applied" value={decimal(applied)} tone="info">
        a second, to the secondary
      </FigureCard>
      <FigureCard name="Failed attempts" value={decimal(failed)} tone={toneOf(failed, 0)}>
        a second; each is tried again
      </FigureCard>
      <FigureCard
        name="Dead letters"
        value={count(dead)}
        tone={dead === null ? 'quiet' : dead === 0 ? 'good' : 'bad'}
        href={hrefOf('failed-jobs')}
      >
        failed for good
      </FigureCard>
    </div>
  );
}

const toneOf = (value: number | null, warnAbove: number): Tone =>
  value === null ? 'quiet' : value > warnAbove ? 'warn' : 'good';

function Charts({ of: { samples, migration } }: { of: Snapshot }) {
  const toMs = now.value;
  const sinceMs = Math.min(samples.at[0] ?? toMs, toMs - SHOWN_MIN_MS);
  const fromMs = Math.max(toMs - SHOWN_MS, sinceMs);
  const shared = { at: samples.at, toMs, fromMs, marks: marksOf(migration) };
  const shown = shared.marks.filter(({ atMs }) => atMs >= shared.fromMs);
  return (
    <Panel title="The last half hour">
      <div class="charts">
        <TimeChart
          {...shared}
          title="Backlog: changes the secondary has not applied"
          series={[{ name: 'Backlog', colour: '--info', values: samples.backlog }]}
        />
        <TimeChart
          {...shared}
          title="Lag: how long changes take to the secondary"
          unit=" s"
          series={[{ name: 'Lag', colour: '--warn', values: samples.lag }]}
        />
        <TimeChart
          {...shared}
          title="Throughput: changes a second"
          series={[
            { name: 'Written', colour: '--info', values: samples.written },
            { name: 'Applied', colour: '--good', values: samples.applied, isDashed: true },
          ]}
        />
        <TimeChart
          {...shared}
          title="Apply errors"
          series={[
            { name: 'Failed attempts a second', colour: '--warn', values: samples.failed },
            { name: 'Dead letters', colour: '--bad', values: samples.deadLetters, isDashed: true },
          ]}
        />
      </div>
      <h3>Phase changes on the charts</h3>
      {shown.length === 0 ? (
        <p class="quiet">None within the half hour.</p>
      ) : (
        <ul class="story">
          {shown.map(({ atMs, text }) => (
            <li key={atMs}>
              <RelativeTime at={new Date(atMs).toISOString()} /> {text}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** Pairing and sealing are entries too; they leave the phase as it is. */
const marksOf = (migration: Snapshot['migration']): readonly ChartMark[] =>
  (migration?.history ?? [])
    .filter(({ kind, from, to }) => kind === 'moved' && from !== to)
    .map(({ at, to }) => ({ atMs: Date.parse(at), text: `→ ${to}` }));
