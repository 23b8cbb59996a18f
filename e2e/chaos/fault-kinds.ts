/** What a kind of fault may be drawn as. */
export interface FaultKind {
  /** How often it is drawn, against the others. */
  readonly weight: number;
  readonly variants: readonly string[];
  /** How long it lasts, from and to, in ms. */
  readonly holdMs: readonly [number, number];
}

/** What the machine must offer for some faults. */
export type Ability = 'small disk' | 'faketime';

/** Every kind of fault, as data: what each does stands in the file of its name in `faults/`. */
export const FAULT_KINDS = {
  kill: { weight: 5, variants: ['api', 'worker', 'postmaster', 'backend'], holdMs: [0, 800] },
  suspend: { weight: 4, variants: ['api', 'worker', 'postmaster'], holdMs: [500, 5_000] },
  'postgres-stop': { weight: 3, variants: ['fast', 'immediate'], holdMs: [300, 4_000] },
  connections: {
    weight: 6,
    variants: ['api', 'worker'].flatMap((who) =>
      ['cut', 'reset', 'stall', 'slow', 'refuse'].map((how) => `${who} ${how}`),
    ),
    holdMs: [200, 4_000],
  },
  'commit-cut': {
    weight: 6,
    variants: ['api lost', 'api delivered', 'api lost', 'worker lost', 'worker delivered'],
    holdMs: [2_500, 7_000],
  },
  'full-disk': { weight: 3, variants: ['data'], holdMs: [500, 3_000] },
  'clock-step': {
    weight: 3,
    variants: ['api', 'worker'].flatMap((who) => ['+600', '-600', '-7'].map((s) => `${who} ${s}`)),
    holdMs: [1_000, 6_000],
  },
  workers: { weight: 2, variants: ['0', '2', '3'], holdMs: [2_000, 6_000] },
  poison: { weight: 2, variants: ['expenses'], holdMs: [1_500, 4_000] },
  'external-edit': { weight: 3, variants: ['change', 'remove', 'add'], holdMs: [0, 0] },
  restart: { weight: 2, variants: ['api', 'worker'], holdMs: [0, 500] },
  checkpoint: { weight: 3, variants: ['cli'], holdMs: [0, 0] },
} as const satisfies Readonly<Record<string, FaultKind>>;

export type FaultName = keyof typeof FAULT_KINDS;

/** Kinds that not every machine can have. */
const NEEDS: Readonly<Partial<Record<FaultName, Ability>>> = {
  'full-disk': 'small disk',
  'clock-step': 'faketime',
};

/** The kinds that can be had with these abilities. */
export const faultsWith = (abilities: readonly Ability[]): readonly FaultName[] =>
  (Object.keys(FAULT_KINDS) as FaultName[]).filter((name) => {
    const needed = NEEDS[name];
    return needed === undefined || abilities.includes(needed);
  });
