import { hostname } from 'node:os';
import { sentenceOf } from '@tandem/storage/errors';
import { type JsonStore, othersServing } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import { disagreement, primaryOf, type ResolvedFlags, within } from '@tandem/storage/phase';
import type { ProcessRegistry } from '@tandem/storage/postgres';
import { ASK_TIMEOUT_MS } from './json-take-over.ts';

/** This process as a sentence names it. */
const OWN = { kind: 'api', pid: process.pid, host: hostname() } as const;
const SERVED_BY_ANOTHER =
  'another api process serves: the worker moves the phase, while requests go on.';

export interface OtherProcessesOptions {
  readonly jsonDir: string;
  readonly registry: ProcessRegistry;
  readonly log: Log;
}

/** What a process has to know of those beside it before it moves anything. */
export class OtherProcesses {
  readonly #options: OtherProcessesOptions;
  /** Whether PostgreSQL knew of another api when it was asked last. */
  #isKnown = false;

  constructor(options: OtherProcessesOptions) {
    this.#options = options;
  }

  /** Whether api processes of this machine serve, that is, those who share the JSON store. */
  async serve(): Promise<boolean> {
    return (await othersServing(this.#options.jsonDir)).length > 0;
  }

  /** Whether api processes serve anywhere: those of this machine, and those that PostgreSQL knows of, or knew of
   *  when it could be asked last. On another machine one has another JSON_DIR, and serves PostgreSQL from it. */
  async serveAnywhere(): Promise<boolean> {
    if (await this.serve()) return true;
    const { registry, log } = this.#options;
    try {
      const others = await within(ASK_TIMEOUT_MS, 'PostgreSQL', registry.others());
      this.#isKnown = others.some(({ kind }) => kind === 'api');
    } catch (error) {
      log.debug({ error: sentenceOf(error) }, 'Who else serves could not be asked.');
    }
    return this.#isKnown;
  }

  /** Why a start that got the JSON store is not to move the phase before it serves; `null` when it may:
   *  beside one that serves PostgreSQL the pause would be that one's, and no gate would be asked. */
  async mayNotWalk(json: JsonStore, flags: ResolvedFlags): Promise<string | null> {
    const inPostgres = primaryOf(json.phase.read().phase) === 'postgres';
    if (inPostgres && (await this.serve())) return SERVED_BY_ANOTHER;
    return this.#disagreementWith(flags);
  }

  /** Whether others that run have another environment than this process, which they can't know yet. */
  async #disagreementWith({ flags, desired }: ResolvedFlags): Promise<string | null> {
    const { registry, log } = this.#options;
    try {
      const others = await registry.others();
      const own = others.map((other) => ({ ...other, ...OWN, flags, desired }));
      return disagreement([...own.slice(0, 1), ...others]);
    } catch (error) {
      log.debug({ error: sentenceOf(error) }, 'Who else runs could not be asked.');
      return null;
    }
  }
}
