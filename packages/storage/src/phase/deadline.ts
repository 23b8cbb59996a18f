import { TandemError } from '../errors.ts';

/**
 * Waits no longer than `timeoutMs`; what was begun goes on unattended, so it must do no harm later.
 * @param what is waited for, as the subject of a sentence
 * @throws {TandemError} `unavailable` at the deadline; whatever the work throws before
 */
export async function within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  // After the deadline nobody looks at it any more.
  work.catch(() => undefined);
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new TandemError('unavailable', `${what} took longer than ${timeoutMs} ms.`));
  }, timeoutMs);
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}
