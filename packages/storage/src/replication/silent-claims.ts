import type { Pool } from 'pg';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { StoreName } from '../phase/index.ts';
import { takeBackLapsed } from './claims.ts';

const TAKE_BACK_INTERVAL_MS = 2_000;
/** How long whoever fetched jobs in pg-boss's way may be silent before they are taken back. */
const CLAIM_LAPSE_MS = 6_000;

export interface SilentClaimsOptions {
  readonly direction: StoreName;
  readonly queue: string;
  readonly pool: Pool;
  readonly log: Log;
  /** Asked before each look. */
  readonly isPaused: () => boolean;
  /** Told when there is something to do again. */
  readonly onTakenBack: () => void;
}

/**
 * Takes back, now and again, the jobs of workers that fell silent. Never throws.
 * @returns a function that ends it
 */
export function takeBackSilentClaims(options: SilentClaimsOptions): () => void {
  let isLooking = false;
  const timer = setInterval(async () => {
    if (isLooking || options.isPaused()) return;
    isLooking = true;
    await look(options);
    isLooking = false;
  }, TAKE_BACK_INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

async function look({ direction, queue, pool, log, onTakenBack }: SilentClaimsOptions) {
  try {
    const jobs = await takeBackLapsed(pool, queue, CLAIM_LAPSE_MS);
    if (jobs === 0) return;
    log.info(
      { direction, jobs },
      `Dual-write: ${jobs} jobs of a worker that fell silent are taken back`,
    );
    onTakenBack();
  } catch (error) {
    log.debug({ error: sentenceOf(error) }, 'Lapsed claims could not be taken back');
  }
}
