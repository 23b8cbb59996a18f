import { type DestinationStream, pino } from 'pino';

/** A system call for each line costs as much as a small request does besides. */
const FLUSH_BYTES = 8_192;
const FLUSH_AFTER_MS = 50;
const WARN = 40;
const STANDARD_OUTPUT = 1;

/**
 * Standard output for the log. Lines of a busy moment are written together: after
 * {@link FLUSH_AFTER_MS} at most, at once with a warning or an error, and when the process ends,
 * however it does short of a kill.
 */
export function logDestination(): DestinationStream {
  const out = pino.destination({ dest: STANDARD_OUTPUT, sync: true, minLength: FLUSH_BYTES });
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    out.flushSync();
  };
  // Also after an uncaught exception.
  process.on('exit', flush);
  return {
    // Makes pino say each line's level before it.
    [pino.symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    write(line: string): void {
      out.write(line);
      if (this.lastLevel >= WARN) flush();
      else timer ??= setTimeout(flush, FLUSH_AFTER_MS).unref();
    },
  } as DestinationStream & { lastLevel: number };
}
