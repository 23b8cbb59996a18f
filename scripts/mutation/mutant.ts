/** One line of protection taken away, and the tests of which some must then fail. */
export interface Mutant {
  readonly name: string;
  /** From the root. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Test files; the first that fails is enough. */
  readonly tests: readonly string[];
  /** They need the real PostgreSQL. */
  readonly needsPostgres?: boolean;
}

const JSON_ROOM = 'packages/storage/src/json';

const jsonTest = (name: string): string => `${JSON_ROOM}/${name}.test.ts`;

/** A mutant of the JSON store, from `[name, file, find, replace, tests]`. */
export const inJson = (
  name: string,
  file: string,
  find: string,
  replace: string,
  tests: readonly string[],
): Mutant => ({
  ...{ name, file: `${JSON_ROOM}/${file}.ts`, find, replace },
  tests: tests.map(jsonTest),
});
