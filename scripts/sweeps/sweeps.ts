import { crashSweep } from '@tandem/storage/testing/sweeps';

type Options = Readonly<Record<string, { readonly type: 'string' }>>;

interface SweepCommand {
  readonly options: Options;
  /** @returns what was found, each with the arguments that replay it */
  run(
    values: Readonly<Record<string, string | undefined>>,
    say: (line: string) => void,
  ): Promise<readonly string[]>;
}

const optionsOf = (...names: string[]): Options =>
  Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));

const numberOf = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : Number(text);

const anySeed = (): number => Math.floor(Math.random() * 2 ** 31);

const thousands = (count: number): string => count.toLocaleString('en');

const CRASH_STATES = 2_000_000;

/** Each sweep with its arguments. */
export const SWEEPS: Readonly<Record<string, SweepCommand>> = {
  crash: {
    options: optionsOf('states', 'seed', 'point', 'choices'),
    async run(values, say) {
      const seed = numberOf(values.seed, anySeed());
      const { point, choices = '0' } = values;
      const told = (sweep: { states: number; points: number; workloads: number }): void =>
        say(
          `crash sweep from seed ${seed}: ${thousands(sweep.states)} disk states at ${thousands(sweep.points)} moments of ${sweep.workloads} workloads`,
        );
      const { violations } = await crashSweep({
        ...{ seed, states: numberOf(values.states, CRASH_STATES), told },
        ...(point === undefined ? {} : { only: { point: Number(point), choices } }),
      });
      say(`${violations.length === 0 ? '0' : 'SOME'} acknowledged writes lost`);
      return violations;
    },
  },
};
