import { writeSync } from 'node:fs';
import { type DestinationStream, pino } from 'pino';

/** A system call for each line costs as much as a small request does besides. */
const FLUSH_BYTES = 32_768;
const FLUSH_AFTER_MS = 50;
/** A reader that is behind: asked again after this long. */
const FULL_PIPE_WAIT_MS = 5;
const WARN = 40;
const STANDARD_OUTPUT = 1;

/**
 * Standard output for the log. Lines of a busy moment are written together: after
 * {@link FLUSH_AFTER_MS} at most, at once with a warning or an error, and when the process ends,
 * however it does short of a kill. Once nobody reads any more (a launcher that was killed), lines are
 * dropped: the process has to stop in order all the same.
 */
export function logDestination(
  write: (bytes: Buffer) => number = writeToStandardOutput,
): DestinationStream {
  let waiting = '';
  let isRead = true;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const bytes = Buffer.from(waiting);
    waiting = '';
    if (isRead) isRead = writeAll(bytes, write);
  };
  // Also after an uncaught exception.
  process.on('exit', flush);
  return {
    // Makes pino say each line's level before it.
    [pino.symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    write(line: string): void {
      waiting += line;
      if (this.lastLevel >= WARN || waiting.length >= FLUSH_BYTES) flush();
      else timer ??= setTimeout(flush, FLUSH_AFTER_MS).unref();
    },
  } as DestinationStream & { lastLevel: number };
}

const writeToStandardOutput = (bytes: Buffer): number => writeSync(STANDARD_OUTPUT, bytes);

/** @returns false when nobody reads any more */
function writeAll(bytes: Buffer, write: (bytes: Buffer) => number): boolean {
  for (let rest = bytes; rest.length > 0; ) {
    try {
      rest = rest.subarray(write(rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_WAIT_MS);
    }
  }
  return true;
}
