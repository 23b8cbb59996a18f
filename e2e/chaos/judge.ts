// What is looked at when all is quiet: both stores, what the product says of itself, and the history.
import { sentenceOf } from '@tandem/storage/errors';
import type { Phase } from '@tandem/storage/phase';
import { askEach } from './ask-each.ts';
import { checkHistory, type Violation } from './checker/check.ts';
import { readFinalState, untilQuiet } from './quiet.ts';
import type { World } from './world.ts';

export const sentence = (what: string): Violation => ({ what, lines: [] });

/** Judges one run, again and again while its history grows. */
export class Judge {
  readonly #world: World;
  readonly #judged = new Map<number, string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** All becomes quiet; then both stores say the same, and the history allows it. */
  async check(desired: Phase): Promise<readonly Violation[]> {
    const world = this.#world;
    // What keeps it from being quiet is often a difference: the stores are looked at all the same.
    const unquiet = await this.#becomesQuiet(desired).catch((error: unknown) => [
      sentence(sentenceOf(error)),
    ]);
    // What a shadow read met while it was a dead letter is in the ledger until somebody compares again.
    const [final, verified] = await Promise.all([
      readFinalState(world),
      world.tandem('verify', '--full'),
    ]);
    const forks = await world.sql(
      `SELECT subject, class, kind, detail FROM divergences WHERE resolved_at IS NULL`,
    );
    const beganMs = performance.now();
    const found = checkHistory(world.history.operations, final, this.#judged);
    world.timeline.note(`the history was judged in ${Math.round(performance.now() - beganMs)} ms`);
    return [
      ...unquiet,
      ...(verified.status === 0 ? [] : [sentence(`tandem verify --full: ${verified.output}`)]),
      ...forks.map((fork) => sentence(`I4: a difference is listed: ${JSON.stringify(fork)}`)),
      ...found,
    ];
  }

  /** @throws {Error} when it does not */
  async #becomesQuiet(desired: Phase): Promise<readonly Violation[]> {
    await untilQuiet(this.#world, desired);
    const wrong = await askEach(this.#world);
    await untilQuiet(this.#world, desired);
    return wrong.map(sentence);
  }

  /** The store that followed becomes primary: it lacks nothing, and Tandem's own comparison agrees. */
  async changeSides(from: Phase): Promise<readonly Violation[]> {
    const to = from === 'json-primary' ? 'postgres-primary' : 'json-primary';
    const before = (await this.#moves()).length;
    await this.#world.desire(to);
    const found = await this.check(to);
    // All is well, and they are neighbours: it is one move, and nobody makes another.
    const moves = (await this.#moves()).slice(before);
    if (moves.join() === `${from} → ${to}`) return found;
    const what = `From ${from} to ${to} it moved, with all quiet, as nobody asked: ${moves.join(', ')}.`;
    return [...found, sentence(what)];
  }

  async #moves(): Promise<readonly string[]> {
    const rows = await this.#world.sql(
      'SELECT from_phase, to_phase FROM phase_history WHERE from_phase <> to_phase ORDER BY id',
    );
    return rows.map(({ from_phase, to_phase }) => `${from_phase} → ${to_phase}`);
  }
}
