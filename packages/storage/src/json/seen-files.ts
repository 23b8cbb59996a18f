import type { Collection } from '../collections/index.ts';
import type { FileSystem } from './file-system.ts';
import type { Layout } from './layout.ts';
import { hashFile } from './whole-file.ts';

/**
 * Hashes of the checkpoint files, taken while there is time: a take-over then reads none of them that
 * is still as it was.
 */
export class SeenFiles {
  readonly #fileSystem: FileSystem;
  readonly #paths: readonly string[];
  /** Identity of each file at the last look. */
  readonly #looks = new Map<string, string>();
  readonly #hashes = new Map<string, { readonly identity: string; readonly sha256: string }>();

  constructor(fileSystem: FileSystem, layout: Layout, collections: readonly Collection[]) {
    this.#fileSystem = fileSystem;
    this.#paths = collections.map(({ file }) => layout.checkpointFile(file));
  }

  /**
   * Hashes what is new. A file is hashed once two looks found it the same: one that was written a
   * moment ago could be written again in the same tick of the file system's clock, unnoticed.
   */
  async look(): Promise<void> {
    for (const path of this.#paths) {
      const identity = await this.#identity(path);
      if (identity === undefined) continue;
      const stands = this.#looks.get(path) === identity;
      this.#looks.set(path, identity);
      if (!stands || this.#hashes.get(path)?.identity === identity) continue;
      const sha256 = await hashFile(this.#fileSystem, path);
      if (sha256 === undefined || (await this.#identity(path)) !== identity) continue;
      this.#hashes.set(path, { identity, sha256 });
    }
  }

  /** Hex SHA-256 of a file as it is now, or `undefined` when there is none. */
  async hash(path: string): Promise<string | undefined> {
    const known = this.#hashes.get(path);
    if (known !== undefined && (await this.#identity(path)) === known.identity) return known.sha256;
    return hashFile(this.#fileSystem, path);
  }

  async #identity(path: string): Promise<string | undefined> {
    return (await this.#fileSystem.stat(path))?.identity;
  }
}
