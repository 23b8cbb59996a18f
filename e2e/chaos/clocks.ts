// Clock steps of one process: libfaketime reads an offset from a file of that process's own. The
// system's clock is never touched, nor is the monotonic one, by which timers run.
import { existsSync, writeFileSync } from 'node:fs';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
/** How often a process looks at its file, in s. */
const LOOK_SECONDS = '1';

export const canStepClocks = (): boolean => existsSync(LIBRARY);

/** Why no clock is stepped here. */
export const NO_FAKETIME = `there is no ${LIBRARY} (the package libfaketime)`;

export interface Clock {
  /** What the process is started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Sets how far it is from the true time. */
  step(seconds: number): void;
}

/** A clock that can be stepped where libfaketime is there; elsewhere the true one. */
export function clockOf(file: string): Clock {
  const step = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}`);
  step(0);
  if (!canStepClocks()) return { environment: {}, step };
  return {
    environment: {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: LOOK_SECONDS,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    step,
  };
}
