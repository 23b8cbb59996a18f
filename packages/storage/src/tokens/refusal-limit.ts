import { isIPv6 } from 'node:net';

/** Refused tokens that one address may bring in a window; then only known ones are looked at. */
const REFUSALS_MAX = 10;
const WINDOW_MS = 60_000;
/** Addresses that are remembered; the one that was heard of first is forgotten beyond that. */
const ADDRESSES_MAX = 10_000;
/** Tokens that were accepted from one address. */
const ACCEPTED_MAX = 100;

interface Attempts {
  /** When the window began that these refusals count to. */
  since: number;
  refused: number;
  /** Digests, in hex, of tokens that were accepted from there. */
  readonly accepted: Set<string>;
}

/**
 * Slows down whoever tries out tokens. An address beyond the bound is heard with a token that was
 * accepted from there before, and with no other until the window is over: so who guesses is stopped,
 * and an operator or client that shares the address (of a proxy, perhaps) goes on working.
 */
export class RefusalLimit {
  readonly #now: () => number;
  readonly #byAddress = new Map<string, Attempts>();

  /** @param now monotonic, in ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How long the token of this digest is not looked at, in ms; 0 if it is. */
  barredMs(address: string, digest: string): number {
    const attempts = this.#byAddress.get(networkOf(address));
    if (attempts === undefined || attempts.refused < REFUSALS_MAX) return 0;
    if (attempts.accepted.has(digest)) return 0;
    return Math.max(0, attempts.since + WINDOW_MS - this.#now());
  }

  accepted(address: string, digest: string): void {
    const { accepted } = this.#attemptsOf(address);
    if (accepted.has(digest)) return;
    if (accepted.size >= ACCEPTED_MAX) accepted.clear();
    accepted.add(digest);
  }

  /** @returns whether this one was the last that is looked at */
  refused(address: string): boolean {
    const attempts = this.#attemptsOf(address);
    const now = this.#now();
    if (now >= attempts.since + WINDOW_MS) {
      attempts.since = now;
      attempts.refused = 0;
    }
    attempts.refused += 1;
    return attempts.refused === REFUSALS_MAX;
  }

  #attemptsOf(address: string): Attempts {
    const network = networkOf(address);
    const known = this.#byAddress.get(network);
    if (known !== undefined) return known;
    if (this.#byAddress.size >= ADDRESSES_MAX) {
      const [oldest] = this.#byAddress.keys();
      this.#byAddress.delete(oldest as string);
    }
    const attempts: Attempts = { since: this.#now(), refused: 0, accepted: new Set() };
    this.#byAddress.set(network, attempts);
    return attempts;
  }
}

/** One customer of a provider has a whole /64 of IPv6. */
const networkOf = (address: string): string =>
  isIPv6(address) && !address.includes('.') ? expanded(address).slice(0, 4).join(':') : address;

/** The groups of an IPv6 address; `::` stands for as many zeros as are missing. */
function expanded(address: string): string[] {
  const [front = '', back] = address.split('::');
  const left = front === '' ? [] : front.split(':');
  if (back === undefined) return left;
  const right = back === '' ? [] : back.split(':');
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
}
