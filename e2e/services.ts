// Single services, as somebody would run them without the launcher: several of a kind, each told its
// own database URL.
import { join } from 'node:path';
import { sendSignal } from '@tandem/embedded-postgres';
import { expect } from 'vitest';
import { newDatabase } from './database.ts';
import { environmentWith, type RunningProcess, root, startProcess } from './tandem-process.ts';

/** An empty database of its own, with the current schema. */
export async function newMigratedDatabase(): Promise<string> {
  const url = await newDatabase();
  const migration = startProcess(
    [process.execPath, 'apps/cli/src/main.ts', 'migrate'],
    environmentWith({ DATABASE_URL: url }),
  );
  expect(await migration.ended, migration.output()).toBe(0);
  return url;
}

export interface Service extends RunningProcess {
  /** Asks it to stop; resolves with the exit status. */
  stop(): Promise<number | NodeJS.Signals>;
}

function startService(
  entry: string,
  variables: Readonly<Record<string, string>>,
  within: readonly string[] = [],
): Service {
  const environment = environmentWith({ PORT: '0', WORKER_PORT: '0', ...variables });
  const command = [...within, process.execPath, join(root, entry)];
  const running = startProcess(command as [string, ...string[]], environment);
  return {
    ...running,
    stop() {
      sendSignal(running.pid, 'SIGTERM');
      return running.ended;
    },
  };
}

/**
 * Starts an api process; resolves once it listens, which is before it is ready.
 * @param within a command that becomes the one behind it, e.g. somewhere else
 */
export async function startApi(
  variables: Readonly<Record<string, string>>,
  within: readonly string[] = [],
): Promise<Service & { readonly origin: string }> {
  const service = startService('apps/api/src/server.ts', variables, within);
  const listening = /Server listening at (http:\/\/[0-9.:]+)/;
  await service.prints(listening);
  const [, origin] = listening.exec(service.output()) ?? [];
  return { ...service, origin: origin as string };
}

export const startWorker = (variables: Readonly<Record<string, string>>): Service =>
  startService('apps/worker/src/main.ts', variables);
