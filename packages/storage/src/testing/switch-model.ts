// Two stores as far as the phase goes, one driver that may die anywhere, and a PostgreSQL that comes
// and goes: the table, `actsOf`, `mendingActsOf` and `reconcile` are the real ones.
import { FOUND } from '../phase/mend.ts';
import type { JsonPhaseState, PostgresPhaseState } from '../phase/phase-state.ts';
import { PHASES, type Phase, primaryOf, type StoreName } from '../phase/phases.ts';
import { type Reconciliation, reconcile } from '../phase/reconcile.ts';
import {
  actsOf,
  brakingOf,
  type MoveActs,
  mendingActsOf,
  type StoreAct,
} from '../phase/switch-acts.ts';
import {
  isResting,
  type SwitchEvent,
  type SwitchState,
  transition,
} from '../phase/switch-table.ts';
import { below, pickOf } from './seeded-random.ts';

const NOW = '2025-12-07T10:00:00.000Z';

/** What has been done when a state that mends has done it. */
const MENDED: Readonly<Partial<Record<SwitchState, SwitchEvent>>> = {
  ...{ meeting: 'met', aborting: 'aborted', reuniting: 'reunited', telling: 'told' },
  lifting: 'lifted',
};

/** A statement of PostgreSQL whose answer was lost: it takes effect later, or never. */
interface UnderWay {
  readonly expectedEpoch: number;
  readonly change: Partial<PostgresPhaseState>;
}

export class SwitchModel {
  json: JsonPhaseState = {
    ...{ pairId: 'pair', epoch: 1, phase: 'json-only', sealed: false, committing: null },
    ...{ catchUpSince: null, lastKnownFlags: null },
  };
  postgres: PostgresPhaseState = {
    ...{ pairId: null, epoch: 0, phase: 'json-only', sealed: false },
    ...{ catchUpSince: null, attempt: null },
  };
  state: SwitchState = 'stopped';
  isPostgresAway = false;
  /** Writes acknowledged by anybody, and how many of them each store has. */
  acknowledged = 0;
  readonly has: Record<StoreName, number> = { json: 0, postgres: 0 };
  /** Every state that was entered, and every event that happened. */
  readonly states = new Set<SwitchState>(['stopped']);
  readonly events = new Set<SwitchEvent>();
  /** What happened, for whoever reads a failure. */
  readonly story: string[] = [];
  readonly #random: () => number;
  #acts: MoveActs | undefined;
  #epoch = 0;
  #target: StoreName = 'json';
  #found: Reconciliation = { act: 'none' };
  #underWay: UnderWay | undefined;
  #calm = false;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Whether a store would acknowledge a write now; each decides by what it keeps itself. */
  accepts(store: StoreName): boolean {
    const { json, postgres } = this;
    if (store === 'postgres') return primaryOf(postgres.phase) === 'postgres' && !postgres.sealed;
    return primaryOf(json.phase) === 'json' && !json.sealed && json.committing === null;
  }

  /** Something happens: a write, an outage, a wish, an order, a death, or the driver's next act. */
  step(): void {
    const chance = this.#random();
    if (chance < 0.1) this.#write();
    else if (chance < 0.15) this.isPostgresAway = !this.isPostgresAway;
    else if (chance < 0.2) this.#land();
    else if (chance < 0.23) this.#happens('driver-gone');
    else this.#drive();
  }

  /** Nothing fails any more. @returns where it comes to rest */
  settle(): SwitchState {
    this.#calm = true;
    this.isPostgresAway = false;
    this.#land();
    // What was under way ends, then somebody looks, and once more after what that found.
    for (let looks = 0; looks < 3; looks += 1) {
      if (isResting(this.state)) this.#happens('started');
      for (let acts = 0; acts < 100 && !isResting(this.state); acts += 1) this.#act();
    }
    return this.state;
  }

  #drive(): SwitchState {
    if (!isResting(this.state)) return this.#act();
    if (this.state === 'serving' && this.#random() < 0.7) return this.#want();
    const braked = this.isPostgresAway && this.#mayBrake();
    if (braked && this.#random() < 0.5) return this.#brake();
    return this.#happens('started');
  }

  #mayBrake(): boolean {
    const { state, json } = this;
    const asked = primaryOf(json.phase) === 'postgres' || json.committing !== null;
    return asked && (state === 'stopped' || state === 'unknown');
  }

  #brake(): SwitchState {
    this.json = { ...this.json, ...brakingOf(this.json, { at: NOW, fromSeq: 0 }) };
    return this.#happens('brake-pulled');
  }

  #want(): SwitchState {
    const from = this.#effective();
    const at = PHASES.indexOf(from);
    const to = pickOf(
      this.#random,
      [PHASES[at - 1], PHASES[at + 1]].filter((phase) => phase !== undefined),
    );
    const needsPostgres = primaryOf(from) === 'postgres' || primaryOf(to) === 'postgres';
    if (needsPostgres && this.isPostgresAway) return this.state;
    this.#epoch = primaryOf(from) === 'postgres' ? this.postgres.epoch : this.json.epoch;
    this.#target = primaryOf(to);
    const attempt = `attempt ${this.story.length}`;
    this.#acts = actsOf({ from, to, epoch: this.#epoch, attempt, since: NOW });
    return this.#happens('wanted');
  }

  #effective(): Phase {
    return primaryOf(this.json.phase) === 'json' ? this.json.phase : this.postgres.phase;
  }

  #act(): SwitchState {
    const { state } = this;
    if (state === 'looking') return this.#look();
    if (state === 'meeting' || state === 'aborting' || state === 'reuniting') return this.#mend();
    if (this.#acts === undefined) return this.#mend();
    if (state === 'catching-up') return this.#prepare(this.#acts);
    if (state === 'draining') return this.#drain(this.#acts);
    if (state === 'sealing') return this.#try(this.#acts.sealing, 'sealed');
    if (state === 'marking') return this.#try(this.#acts.marking, 'marked');
    if (state === 'committing') return this.#commit(this.#acts);
    if (state === 'telling') return this.#try(this.#acts.telling, 'told');
    return this.#try(this.#acts.lifting, 'lifted');
  }

  #prepare({ sealing }: MoveActs): SwitchState {
    const chance = this.#calm ? 1 : this.#random();
    const source = this.#target === 'json' ? this.postgres : this.json;
    const isStale = sealing !== null && source.catchUpSince !== null;
    if (isStale || chance < 0.1) return this.#happens('gates-closed');
    if (chance < 0.15) return this.#happens('cancelled');
    if (chance < 0.2) return this.#happens('failed');
    return this.#happens(sealing === null ? 'keeps-primary' : 'caught-up');
  }

  #drain({ marking }: MoveActs): SwitchState {
    const chance = this.#calm ? 1 : this.#random();
    if (chance < 0.1) return this.#happens('incomplete');
    if (chance < 0.15) return this.#happens('deadline-missed');
    if (chance < 0.2) return this.#happens('cancelled');
    if (chance < 0.25) return this.#happens('unanswered');
    const source = this.#target === 'json' ? 'postgres' : 'json';
    this.has[this.#target] = Math.max(this.has[this.#target], this.has[source]);
    return this.#happens(marking === null ? 'drained-to-json' : 'drained-to-postgres');
  }

  /** Towards JSON PostgreSQL is told by the way; that may fail by itself. */
  #commit({ committing, telling }: MoveActs): SwitchState {
    if (!this.#calm && this.#random() < 0.1) return this.#happens('cancelled');
    const next = this.#try(committing, 'committed');
    const isHandedOver = committing.store === 'json' && telling?.store === 'postgres';
    return next === 'telling' && isHandedOver ? this.#try(telling, 'told') : next;
  }

  #look(): SwitchState {
    this.#acts = undefined;
    const row = this.isPostgresAway ? null : this.postgres;
    const { json } = this;
    // What is done about it is a compare-and-set on the row as it was seen.
    this.#epoch = this.postgres.epoch;
    this.#found = reconcile({ json, jsonIsBlank: false, postgres: row });
    const { act } = this.#found;
    if (act === 'refuse') {
      const isOpen = json.committing !== null && row === null;
      if (row !== null) throw new Error(`Refused: ${JSON.stringify({ json, row })}`);
      return this.#happens(isOpen ? 'postgres-unreachable' : 'failed');
    }
    if (act !== 'none') return this.#happens(FOUND[act]);
    if (row !== null && this.#random() < 0.7) this.#catchUp();
    return this.#happens(row === null && json.braked ? 'found-braked' : 'agreed');
  }

  /** What follows the primary brings the other store up by difference, and takes the mark away. */
  #catchUp(): void {
    const primary = primaryOf(this.#effective());
    this.has[primary === 'json' ? 'postgres' : 'json'] = this.has[primary];
    if (primary === 'json') this.json = { ...this.json, catchUpSince: null };
    else this.postgres = { ...this.postgres, catchUpSince: null };
  }

  /** The acts of what was found, cut off anywhere. */
  #mend(): SwitchState {
    const event = MENDED[this.state];
    if (event === undefined) throw new Error(`Nothing is mended in ${this.state}.`);
    const { json, postgres } = this;
    const needsPostgres = this.state !== 'lifting' || this.#found.act !== 'lift-json-seal';
    if (this.isPostgresAway && needsPostgres) return this.#happens('failed');
    const acts = mendingActsOf(this.#found, { json, postgres, now: NOW });
    if (this.state === 'reuniting') {
      this.has.json = this.acknowledged;
      this.has.postgres = this.acknowledged;
    }
    for (const act of acts) {
      const outcome = this.#outcomeOf(act);
      if (outcome !== 'done') return this.#happens(outcome);
    }
    return this.#happens(event);
  }

  #try(act: StoreAct | null, event: SwitchEvent): SwitchState {
    const outcome = act === null ? 'done' : this.#outcomeOf(act);
    return this.#happens(outcome === 'done' ? event : outcome);
  }

  /** Done; or not; or nobody knows; or the driver dies of it. */
  #outcomeOf(act: StoreAct): 'done' | 'failed' | 'unanswered' | 'driver-gone' {
    if (act.store === 'postgres' && this.isPostgresAway) return 'failed';
    const chance = this.#calm ? 1 : this.#random();
    if (chance < 0.06) return 'driver-gone';
    if (chance < 0.12) return 'failed';
    // A later statement waits for the lock that the one under way still holds.
    if (act.store === 'postgres') this.#land();
    if (chance < 0.2) {
      if (act.store === 'json') {
        if (chance < 0.16) this.json = { ...this.json, ...act.change };
      } else this.#underWay = { expectedEpoch: this.#epoch, change: act.change };
      return chance < 0.18 ? 'unanswered' : 'driver-gone';
    }
    if (act.store === 'json') this.json = { ...this.json, ...act.change };
    else if (this.postgres.epoch === this.#epoch)
      this.postgres = { ...this.postgres, ...act.change };
    else return 'failed';
    return chance < 0.26 ? 'driver-gone' : 'done';
  }

  /** What was under way takes effect now, or never. */
  #land(): void {
    const { expectedEpoch, change } = this.#underWay ?? { expectedEpoch: -1, change: {} };
    this.#underWay = undefined;
    if (this.postgres.epoch !== expectedEpoch || this.#random() < 0.4) return;
    this.story.push(`a late statement takes effect: ${JSON.stringify(change)}`);
    this.postgres = { ...this.postgres, ...change };
  }

  #write(): void {
    for (const store of ['json', 'postgres'] as const) {
      if (!this.accepts(store)) continue;
      this.acknowledged += 1;
      this.has[store] += 1;
    }
    // Replication goes on by itself, or it does not.
    if (below(this.#random, 2) === 0 && !this.isPostgresAway && this.state === 'serving') {
      const primary = primaryOf(this.#effective());
      this.has[primary === 'json' ? 'postgres' : 'json'] = this.has[primary];
    }
  }

  #happens(event: SwitchEvent): SwitchState {
    const before = this.state;
    this.state = transition(before, event);
    this.states.add(this.state);
    this.events.add(event);
    this.story.push(`${before} ── ${event} ──▶ ${this.state}`);
    return this.state;
  }
}
