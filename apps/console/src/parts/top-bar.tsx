import { signOut } from '../api/session.ts';
import {
  dataAgeMs,
  desiredPhase,
  effectivePhase,
  isMoving,
  isStale,
  silence,
  snapshot,
} from '../api/snapshot.ts';
import { count, relative } from '../format.ts';
import { hrefOf, PAGES, type PageId, route } from '../router.ts';
import { Badge } from './badge.tsx';

/** Where we are and how old what is shown is, above every page. */
export function TopBar() {
  return (
    <header class="top-bar">
      <p class="brand">
        <svg aria-hidden="true" viewBox="0 0 32 32" width="22" height="22">
          <circle cx="11" cy="18" r="8" />
          <circle cx="21" cy="14" r="8" />
        </svg>
        Tandem
      </p>
      <PhaseBadge />
      <span class="spring" />
      <Freshness />
      <button type="button" class="plain" onClick={() => void signOut()}>
        Sign out
      </button>
    </header>
  );
}

function PhaseBadge() {
  const effective = effectivePhase.value;
  if (effective === undefined) return null;
  const isBraked = snapshot.value?.api.brake != null;
  if (isMoving.value) {
    return (
      <Badge tone={isBraked ? 'bad' : 'info'}>
        {effective} → {desiredPhase.value}
      </Badge>
    );
  }
  return <Badge tone={isBraked ? 'bad' : 'good'}>{effective}</Badge>;
}

function Freshness() {
  const ageMs = dataAgeMs.value;
  if (ageMs === undefined) return <span class="freshness">Reading …</span>;
  const age = relative(ageMs);
  return (
    <span class="freshness" data-stale={isStale.value ? 'yes' : 'no'}>
      {isStale.value ? <Badge tone="warn">Data from {age}</Badge> : `Updated ${age}`}
    </span>
  );
}

/** The pages, with the numbers that want to be looked at. */
export function Navigation() {
  const { page } = route.value;
  const wanted = wantedOf();
  return (
    <nav aria-label="Pages" class="pages">
      <ul>
        {PAGES.map(({ id, name }) => {
          const number = wanted[id] ?? 0;
          return (
            <li key={id}>
              <a href={hrefOf(id)} aria-current={page === id ? 'page' : undefined}>
                {name}
                {number > 0 && (
                  <span class="number-badge">
                    {count(number)}
                    <span class="only-read"> to look at</span>
                  </span>
                )}
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

function wantedOf(): Partial<Record<PageId, number>> {
  const { queues, trust } = snapshot.value ?? {};
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
  return {
    'failed-jobs': sum(Object.values(queues ?? {}).map(({ deadLetters }) => deadLetters)),
    consistency: sum(Object.values(trust?.divergences ?? {})),
  };
}

/** What somebody fails at in the phase that is asked for; a catch-up shows how far it is elsewhere. */
const troubles = () =>
  (snapshot.value?.migration?.processes ?? []).filter(
    ({ waitingFor, effective, desired, catchUp }) =>
      waitingFor !== null && effective === desired && catchUp === null,
  );

/** What stands above every page while it holds: the brake, an api that is silent, PostgreSQL away, and
 *  what a process can't use. */
export function Warnings() {
  const { api, database } = snapshot.value ?? {};
  return (
    <>
      {silence.value !== null && (
        <Warning tone="warn">
          {silence.value} What is shown is as it was when it was heard last; it is asked again every
          2 s.
        </Warning>
      )}
      {api?.brake != null && <Warning tone="bad">{api.brake}</Warning>}
      {database != null && database.problem !== null && (
        <Warning tone="warn">
          {database.problem} What it knows is shown
          {database.asOf === null ? ' when it is back.' : ' as it was before.'}
        </Warning>
      )}
      {troubles().map(({ id, kind, pid, host, waitingFor }) => (
        <Warning key={id} tone="warn">
          {kind} {pid} on {host} waits for {waitingFor}
        </Warning>
      ))}
    </>
  );
}

function Warning({ tone, children }: { tone: 'warn' | 'bad'; children: preact.ComponentChildren }) {
  return (
    <p class={`note tone-${tone}`} role="alert">
      <span aria-hidden="true" class="shape">
        {tone === 'bad' ? '✕' : '▲'}
      </span>
      <span>{children}</span>
    </p>
  );
}
