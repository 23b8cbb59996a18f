import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationOperations, Phase, PhaseReport } from '@tandem/storage/phase';

const LOOK_INTERVAL_MS = 200;
const SAY_INTERVAL_MS = 5_000;

/**
 * Waits until the phase is there.
 * @param say told now and then what is waited for
 * @returns the phase as it was seen last, also when the time was not enough
 */
export async function arrived(
  operations: Pick<MigrationOperations, 'phase'>,
  wanted: Phase,
  { seconds, say }: { readonly seconds: number; readonly say: (sentence: string) => void },
): Promise<PhaseReport> {
  const untilMs = performance.now() + seconds * 1_000;
  let sayAtMs = performance.now() + SAY_INTERVAL_MS;
  for (;;) {
    const report = await operations.phase();
    const now = performance.now();
    if (report.effective === wanted || now >= untilMs) return report;
    if (now >= sayAtMs) {
      sayAtMs = now + SAY_INTERVAL_MS;
      say(stillWaiting(report));
    }
    await sleep(Math.min(LOOK_INTERVAL_MS, untilMs - now));
  }
}

/** In one sentence. */
export const stillWaiting = ({ effective, waitingFor, disagreement }: PhaseReport): string =>
  `The phase is ${effective} still; ${disagreement ?? `it waits for ${waitingFor ?? 'a process that takes the next step'}`}`;
