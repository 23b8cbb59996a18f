import { flagsOf, type Phase } from '@tandem/storage/phase';
import { vi } from 'vitest';
import { query } from './record-client.ts';

/** As an operator types it into psql: one statement a flag. */
export async function setFlags(url: string, phase: Phase): Promise<void> {
  const { USE_DATABASE_STORAGE, DUAL_WRITE_ENABLED } = flagsOf(phase);
  await query(
    url,
    `INSERT INTO feature_flags (name, enabled) VALUES ('USE_DATABASE_STORAGE', ${USE_DATABASE_STORAGE})
     ON CONFLICT (name, user_id) DO UPDATE SET enabled = excluded.enabled`,
  );
  await query(
    url,
    `INSERT INTO feature_flags (name, enabled) VALUES ('DUAL_WRITE_ENABLED', ${DUAL_WRITE_ENABLED})
     ON CONFLICT (name, user_id) DO UPDATE SET enabled = excluded.enabled`,
  );
}

/** What an api process says of the phase; `undefined` while it does not answer. */
export async function phaseAt(
  origin: string,
): Promise<{ desired: Phase; effective: Phase; waitingFor?: string } | undefined> {
  try {
    const answer = await fetch(`${origin}/readyz`);
    const { phase } = (await answer.json()) as {
      phase: { desired: Phase; effective: Phase; waitingFor?: string };
    };
    return answer.status === 200 ? phase : undefined;
  } catch {
    return undefined;
  }
}

/** Resolves when the api says that the phase is both desired and effective. */
export const reached = (origin: string, wanted: Phase): Promise<unknown> =>
  vi.waitUntil(
    async () => {
      const phase = await phaseAt(origin);
      return phase?.desired === wanted && phase.effective === wanted;
    },
    { timeout: 60_000, interval: 50 },
  );

/** Asks for a phase by the flags and waits until it is effective. */
export async function reach(url: string, origin: string, phase: Phase): Promise<void> {
  await setFlags(url, phase);
  await reached(origin, phase);
}
