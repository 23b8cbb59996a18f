//   tdmc_ 7Zt…(43)  k2Q9xA      what kind of token, 256 random bits in base 62, and a checksum of both
//   prefix body     checksum
import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Says in a log, a paste or a repository that a secret was left there, and which. */
export const PREFIX = { client: 'tdmc_', operator: 'tdmo_' } as const;

const SECRET_BYTES = 32;
/** Digits of base 62 that hold 256 bits, and 32. */
const SECRET_DIGITS = 43;
const CHECKSUM_DIGITS = 6;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = BigInt(DIGITS.length);
const OURS = new RegExp(
  `^(${Object.values(PREFIX).join('|')})([0-9A-Za-z]{${SECRET_DIGITS}})([0-9A-Za-z]{${CHECKSUM_DIGITS}})$`,
);

/** What a token may look like that somebody else made: hard to guess, and harmless in a header. */
export const FOREIGN_TOKEN = /^[\x21-\x7e]{16,512}$/;

/** A new token of 256 random bits. The checksum is the idea of GitHub's tokens: a mistyped or cut one
 *  is told apart from one that is unknown without any look-up. */
export function mintToken(kind: keyof typeof PREFIX): string {
  const text = PREFIX[kind] + inBase62(bigOf(randomBytes(SECRET_BYTES)), SECRET_DIGITS);
  return text + checksumOf(text);
}

/** Whether a text begins like one of our tokens, yet is none: mistyped, cut, or with something behind. */
export function isMistyped(text: string): boolean {
  if (!Object.values(PREFIX).some((prefix) => text.startsWith(prefix))) return false;
  const [, prefix = '', secret = '', checksum = ''] = OURS.exec(text) ?? [];
  return checksum === '' || checksumOf(prefix + secret) !== checksum;
}

/** SHA-256 of a token: all that is kept of it. A slow hash is for passwords; none of 256 random bits
 *  can be searched for. */
export const digestOf = (token: string): Buffer => hash('sha256', token, 'buffer');

/** The token of an `Authorization: Bearer …` header; empty when there is none. */
export function bearerOf(header: string | undefined): string {
  const [, token = ''] = /^Bearer +(\S+) *$/i.exec(header ?? '') ?? [];
  return token;
}

/** The digest of what a header brings, in hex: names a token without being one. */
export const bearerDigest = (header: string | undefined): string =>
  digestOf(bearerOf(header)).toString('hex');

const checksumOf = (text: string): string => inBase62(BigInt(crc32(text)), CHECKSUM_DIGITS);

const bigOf = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);

function inBase62(number: bigint, digits: number): string {
  let text = '';
  for (let left = number; text.length < digits; left /= BASE) {
    text = DIGITS.charAt(Number(left % BASE)) + text;
  }
  return text;
}
