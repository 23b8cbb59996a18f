//   tandem token: lock ── read ── change ── write aside, sync, rename, sync the folder ── unlock
//   api, worker:  look at the file now and then, and read it when it is another one
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { isTandemError, sentenceOf, TandemError } from '../errors.ts';
import { type FileLock, realFileSystem } from '../json/file-system.ts';
import { readWhole, replaceFile } from '../json/whole-file.ts';
import {
  isLive,
  NAME,
  NAME_LENGTH_MAX,
  NO_TOKENS,
  readTokenFile,
  type TokenFile,
  type TokenRecord,
  type TokenScope,
} from './token-record.ts';
import { digestOf, mintToken } from './token-text.ts';

/** Tokens that one installation may have; beyond it the oldest revoked ones are forgotten. */
const TOKENS_MAX = 1_000;
/** Another command holds the lock for as long as a file takes to be written. */
const LOCK_WAIT_MS = 10_000;
const LOCK_RETRY_MS = 20;
const ID_BYTES = 5;

/** Where the tokens of an installation are kept. */
export const tokenFilePath = (dataDir: string): string => join(dataDir, 'tokens.json');

/** @throws {TandemError} `configuration` when the file can't be read, or is not ours */
export async function readTokens(path: string): Promise<TokenFile | undefined> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readWhole(realFileSystem, path);
  } catch (cause) {
    throw new TandemError('configuration', `${path} can't be read: ${sentenceOf(cause)}`, {
      cause,
    });
  }
  return bytes === undefined ? undefined : readTokenFile(path, bytes.toString('utf8'));
}

/**
 * Makes a token and keeps its digest, durably. Nothing but what this returns ever has the token itself.
 * @throws {TandemError} `invalid` for a name that is none; `conflict` when a live token has the name or
 *   there are too many; `configuration` when the file can't be read or written
 */
export async function createToken(
  dataDir: string,
  order: { readonly name: string; readonly scope: TokenScope; readonly by: string },
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const { name, scope, by } = order;
  if (!NAME.test(name)) {
    const sentence = `A token’s name has 1 to ${NAME_LENGTH_MAX} letters, digits, dots, dashes, underscores or at signs.`;
    throw new TandemError('invalid', sentence);
  }
  const token = mintToken('client');
  const record: TokenRecord = {
    ...{ id: randomBytes(ID_BYTES).toString('hex'), name, scope },
    ...{ sha256: digestOf(token).toString('hex'), createdAt: now(), createdBy: by },
    ...{ revokedAt: null, revokedBy: null },
  };
  await change(dataDir, ({ tokens }) => {
    if (tokens.some((one) => isLive(one) && one.name === name)) {
      const sentence = `A live token is called ${name} already; revoke it, or choose another name.`;
      throw new TandemError('conflict', sentence);
    }
    return { record, tokens: [...roomFor(tokens), record] };
  });
  return { token, record };
}

/**
 * Revokes the live token of this id or name, durably; running processes notice within a second.
 * @throws {TandemError} `not-found`; `configuration` when the file can't be read or written
 */
export async function revokeToken(
  dataDir: string,
  order: { readonly which: string; readonly by: string },
): Promise<TokenRecord> {
  const { which, by } = order;
  return change(dataDir, ({ tokens }) => {
    const live = tokens.filter(isLive);
    const found = live.find(({ id }) => id === which) ?? live.find(({ name }) => name === which);
    if (found === undefined) {
      throw new TandemError('not-found', `No live token has the id or name ${which}.`);
    }
    const record = { ...found, revokedAt: now(), revokedBy: by };
    return { record, tokens: tokens.with(tokens.indexOf(found), record) };
  });
}

const now = (): string => new Date().toISOString();

/** Without the oldest revoked one, where there are too many. It is written in the order of making. */
function roomFor(tokens: readonly TokenRecord[]): readonly TokenRecord[] {
  if (tokens.length < TOKENS_MAX) return tokens;
  const oldest = tokens.findIndex((one) => !isLive(one));
  if (oldest !== -1) return tokens.toSpliced(oldest, 1);
  const sentence = `There are ${TOKENS_MAX} live tokens already; revoke those that are not used.`;
  throw new TandemError('conflict', sentence);
}

interface Change {
  readonly record: TokenRecord;
  readonly tokens: readonly TokenRecord[];
}

/** Changes one record of the file under a lock of its own, so that two commands at once both count. */
async function change(dataDir: string, next: (file: TokenFile) => Change): Promise<TokenRecord> {
  const path = tokenFilePath(dataDir);
  try {
    await realFileSystem.mkdir(dataDir);
    const lock = await lockFor(path);
    try {
      const { record, tokens } = next((await readTokens(path)) ?? NO_TOKENS);
      const text = JSON.stringify({ format: 1, tokens } satisfies TokenFile, null, 2);
      await replaceFile(realFileSystem, path, Buffer.from(`${text}\n`));
      return record;
    } finally {
      await lock.release();
    }
  } catch (cause) {
    if (isTandemError(cause)) throw cause;
    const sentence = `${path} can't be written: ${sentenceOf(cause)}`;
    throw new TandemError('configuration', sentence, { cause });
  }
}

async function lockFor(path: string): Promise<FileLock> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    const lock = await realFileSystem.lock(`${path}.lock`);
    if (lock !== undefined) return lock;
    if (performance.now() > deadline) throw new Error('another command is changing it.');
    await new Promise((resume) => setTimeout(resume, LOCK_RETRY_MS));
  }
}
