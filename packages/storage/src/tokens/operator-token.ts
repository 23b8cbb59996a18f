import { randomUUID } from 'node:crypto';
import { chmod, link, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isTandemError, sentenceOf, TandemError } from '../errors.ts';
import { makeFolder } from '../folder.ts';
import type { Log } from '../log.ts';
import { FOREIGN_TOKEN, isMistyped, mintToken } from './token-text.ts';

const PRIVATE_MODE = 0o600;

/**
 * The operators' token: the one that is configured, else that of `$DATA_DIR/operator-token`, which is
 * made with mode 0600 when it is missing. Processes that start together agree on one.
 * @throws {TandemError} `configuration` when the file holds no token, or can't be made
 */
export async function operatorToken(
  configuration: { readonly dataDir: string; readonly operatorToken: string | undefined },
  log: Log,
): Promise<string> {
  if (configuration.operatorToken !== undefined) return configuration.operatorToken;
  const path = join(configuration.dataDir, 'operator-token');
  try {
    await makeFolder(configuration.dataDir);
    return (await readToken(path, log)) ?? (await makeToken(path, log));
  } catch (cause) {
    if (isTandemError(cause)) throw cause;
    const sentence = `${path} can't be read or made (${sentenceOf(cause)}); OPERATOR_TOKEN does without it.`;
    throw new TandemError('configuration', sentence, { cause });
  }
}

async function readToken(path: string, log: Log): Promise<string | undefined> {
  let text: string;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      await chmod(path, PRIVATE_MODE);
      log.warn({ path }, `${path} could be read by others and has mode 0600 now; renew it.`);
    }
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (FOREIGN_TOKEN.test(text) && !isMistyped(text)) return text;
  const sentence = `${path} holds no whole token of 16 to 512 visible ASCII characters; remove it, and a new one is made.`;
  throw new TandemError('configuration', sentence);
}

/** The name appears with the whole token behind it, or with that of whoever was quicker. */
async function makeToken(path: string, log: Log): Promise<string> {
  const token = mintToken('operator');
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, 'wx', PRIVATE_MODE);
  try {
    await file.writeFile(`${token}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  const made = await readToken(path, log);
  if (made === undefined) throw new TandemError('configuration', `${path} was removed meanwhile.`);
  return made;
}
