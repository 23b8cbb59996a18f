import type { JsonStore, WarmFollower } from '@tandem/storage/json';
import type { Phase } from '@tandem/storage/phase';

/**
 * While JSON is the secondary: what this process needs to take it over without reading it all. Where it
 * is not warm, taking over only takes longer.
 */
export class JsonWarmth {
  readonly #newFollower: (from?: JsonStore) => WarmFollower;
  #follower: WarmFollower | undefined;

  /** @param newFollower may be given a store that this process has just closed */
  constructor(newFollower: (from?: JsonStore) => WarmFollower) {
    this.#newFollower = newFollower;
  }

  /** For the opening store; its content is gone once the store is open. */
  get follower(): WarmFollower | undefined {
    return this.#follower;
  }

  /** Keeps what a closed store held, if JSON is the secondary from now on. */
  keepFrom(json: JsonStore, phase: Phase): void {
    if (phase === 'postgres-primary') this.#follower = this.#newFollower(json);
  }

  /** Follows what was written since the last time, off everybody's path. */
  look(phase: Phase): void {
    if (phase === 'postgres-primary') {
      this.#follower ??= this.#newFollower();
      void this.#follower.follow();
    } else if (phase === 'postgres-only') void this.end();
  }

  async end(): Promise<void> {
    const follower = this.#follower;
    this.#follower = undefined;
    await follower?.close();
  }
}
