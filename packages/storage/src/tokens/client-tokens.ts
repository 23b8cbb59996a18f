import { timingSafeEqual } from 'node:crypto';
import { sentenceOf } from '../errors.ts';
import { realFileSystem } from '../json/file-system.ts';
import type { Log } from '../log.ts';
import type { ConfiguredToken } from './environment-tokens.ts';
import { isLive, NO_TOKENS, type TokenFile, type TokenScope } from './token-record.ts';
import { readTokens } from './token-store.ts';

/** How long a revoked token may still count. */
const LOOK_INTERVAL_MS = 500;

/** What is known of a token that somebody brought. */
export interface KnownToken {
  readonly name: string;
  readonly scope: TokenScope;
  readonly isLive: boolean;
}

interface ClientTokensOptions {
  /** `tokens.json`; it need not be there. */
  readonly path: string;
  readonly configured: readonly ConfiguredToken[];
  readonly log: Log;
}

/**
 * The clients' tokens of `CLIENT_TOKENS` and of `tokens.json`, which is read again when it changes: a
 * token that is revoked counts no more within a second, one that is made counts as soon. PostgreSQL is
 * not asked.
 *
 * A file that has gone takes its tokens with it; one that can't be read leaves those that were known,
 * and the log says so. Neither opens the door: once there was a client's token, one is needed until
 * the process ends.
 */
export class ClientTokens {
  readonly #options: ClientTokensOptions;
  #known = new Map<string, KnownToken & { readonly digest: Buffer }>();
  #areThere = false;
  #identity: string | undefined;
  #looking = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: ClientTokensOptions) {
    this.#options = options;
  }

  /** @throws {TandemError} `configuration` when the file can't be read, or is not ours */
  static async open(options: ClientTokensOptions): Promise<ClientTokens> {
    const tokens = new ClientTokens(options);
    await tokens.#read();
    tokens.#timer = setInterval(() => void tokens.#look(), LOOK_INTERVAL_MS).unref();
    return tokens;
  }

  /** Whether clients' tokens have been made, revoked ones included: the last one that is revoked must
   *  not let everybody in. */
  get areThere(): boolean {
    return this.#areThere;
  }

  /** The token with this SHA-256, as bytes and in hex. Where it stands in the map tells a caller about digests of what they
   *  sent, which lead to no token; the digests themselves are compared in constant time. */
  find(digest: Buffer, hex: string): KnownToken | undefined {
    const known = this.#known.get(hex);
    return known !== undefined && timingSafeEqual(known.digest, digest) ? known : undefined;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#read();
    } catch (error) {
      const sentence = `The tokens that were known before still count: ${sentenceOf(error)}`;
      this.#options.log.error({ error: sentenceOf(error) }, sentence);
    } finally {
      this.#looking = false;
    }
  }

  async #read(): Promise<void> {
    const { path } = this.#options;
    // Before the content: a change in between is seen the next time.
    const identity = (await realFileSystem.stat(path))?.identity ?? 'none';
    if (identity === this.#identity) return;
    // Also of a file that can't be read: it is told once.
    this.#identity = identity;
    this.#take((await readTokens(path)) ?? NO_TOKENS);
  }

  #take({ tokens }: TokenFile): void {
    const { configured } = this.#options;
    const ofFile = tokens.map((one) => ({
      ...{ name: one.name, scope: one.scope, isLive: isLive(one) },
      digest: Buffer.from(one.sha256, 'hex'),
    }));
    const ofEnvironment = configured.map(({ scope, digest }, at) => ({
      ...{ name: `CLIENT_TOKENS ${at + 1}`, scope, digest, isLive: true },
    }));
    const all = [...ofFile, ...ofEnvironment];
    this.#known = new Map(all.map((one) => [one.digest.toString('hex'), one]));
    this.#areThere ||= all.some(({ scope }) => scope !== 'metrics');
  }
}
