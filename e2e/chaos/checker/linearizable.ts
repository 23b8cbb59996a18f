/** One call on an object, seen from outside. */
export interface Step<S> {
  readonly startMs: number;
  /** Infinity: it may take effect at any time after its start, or never. */
  readonly endMs: number;
  /** The state it leaves, given the one it meets; `undefined`: it can't have been answered like that. */
  readonly apply: (state: S) => S | undefined;
  readonly text: string;
}

/** Where the search got furthest, for a person. */
export interface Stuck<S> {
  readonly state: S;
  /** Steps of which one would have had to come next; none can. */
  readonly next: readonly string[];
}

interface Place<S> {
  /** Every step before it has its place. */
  readonly low: number;
  /** Steps from `low` on that have theirs too, ascending. */
  readonly ahead: readonly number[];
  readonly state: S;
}

/**
 * Looks for an order of all steps that every answer agrees with, in which a step that ended before
 * another began stands before it. States are compared as text.
 *
 * Depth first, never twice through the same set of placed steps with the same state: J. M. Wing, C. Gong,
 * "Testing and verifying concurrent objects" (1993), with the cache of G. Lowe, "Testing for
 * linearizability" (2017). A step that changes nothing is placed as soon as it can be: no order is lost.
 *
 * @returns `undefined` when there is one
 */
export function explainOrder<S>(steps: readonly Step<S>[], initial: S): Stuck<S> | undefined {
  const sorted = [...steps].sort((a, b) => a.startMs - b.startMs);
  const seen = new Set<string>();
  const open: Place<S>[] = [{ low: 0, ahead: [], state: initial }];
  let furthest: { readonly placed: number; readonly stuck: Stuck<S> } | undefined;
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const name = `${place.low}|${place.ahead.join(',')}|${JSON.stringify(place.state)}`;
    if (seen.has(name)) continue;
    seen.add(name);
    const candidates = candidatesAt(sorted, place);
    if (candidates.every((index) => sorted[index]?.endMs === Number.POSITIVE_INFINITY)) {
      return undefined;
    }
    const next = placesAfter(sorted, place, candidates);
    const placed = place.low + place.ahead.length;
    if (next.length === 0 && placed >= (furthest?.placed ?? 0)) {
      const texts = candidates.map((index) => sorted[index]?.text ?? '');
      furthest = { placed, stuck: { state: place.state, next: texts } };
    }
    open.push(...next.reverse());
  }
  return furthest?.stuck ?? { state: initial, next: [] };
}

/** Steps that may come next: no step without a place ended before they began. */
function candidatesAt<S>(steps: readonly Step<S>[], { low, ahead }: Place<S>): number[] {
  const placed = new Set(ahead);
  const candidates: number[] = [];
  let firstEndMs = Number.POSITIVE_INFINITY;
  for (let index = low; index < steps.length; index++) {
    const step = steps[index] as Step<S>;
    if (step.startMs > firstEndMs) break;
    if (placed.has(index)) continue;
    candidates.push(index);
    firstEndMs = Math.min(firstEndMs, step.endMs);
  }
  return candidates;
}

function placesAfter<S>(
  steps: readonly Step<S>[],
  place: Place<S>,
  candidates: readonly number[],
): Place<S>[] {
  const places: Place<S>[] = [];
  for (const index of candidates) {
    const state = (steps[index] as Step<S>).apply(place.state);
    if (state === undefined) continue;
    const after = { ...placedAt(place, index), state };
    if (JSON.stringify(state) === JSON.stringify(place.state)) return [after];
    places.push(after);
  }
  return places;
}

function placedAt<S>({ low, ahead }: Place<S>, index: number): Omit<Place<S>, 'state'> {
  const all = [...ahead, index].sort((a, b) => a - b);
  let first = low;
  while (all[0] === first) {
    all.shift();
    first += 1;
  }
  return { low: first, ahead: all };
}
