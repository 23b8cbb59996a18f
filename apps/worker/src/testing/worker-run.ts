import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '@tandem/embedded-postgres';
import type { Readiness } from '../report.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** A worker process as it is really started. */
export interface WorkerRun {
  readonly child: ChildProcess;
  readonly port: number;
  /** Everything it wrote so far. */
  output(): string;
  /** How often a text occurs in what it wrote. */
  said(text: string): number;
  /** `/readyz`; `undefined` while nobody answers. */
  readiness(): Promise<Readiness | undefined>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

/** Starts it with this environment and nothing else of the test's own. */
export async function runWorker(environment: Record<string, string>): Promise<WorkerRun> {
  const port = Number(environment.WORKER_PORT ?? (await freePort()));
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH, NODE_COMPILE_CACHE, ...environment, WORKER_PORT: String(port) },
    stdio: 'pipe',
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    ...{ child, port, ended },
    output: () => text,
    said: (wanted) => text.split(wanted).length - 1,
    async readiness() {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
        return (await answer.json()) as Readiness;
      } catch {
        return undefined;
      }
    },
  };
}
