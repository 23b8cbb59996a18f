// A process that changes expenses over HTTP at a steady rate, however long the answers take:
// `node steady-writer.ts ORIGIN RECORDS`. It writes from `begin` to `end`, and then says what it saw.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Written, writtenOf } from './written.ts';

/** What the process is told. */
export type SteadyRequest = 'begin' | 'end';

const WRITES_A_SECOND = 300;
/** Visits every id in an order that jumps about. */
const STRIDE = 7_919;
/** Nobody waits longer for an answer. */
const ANSWER_TIMEOUT_MS = 30_000;

const [, , origin, given] = process.argv;
const records = Number(given);
if (origin === undefined || !(records > 0) || process.send === undefined) {
  throw new Error('This process is started by the bench.');
}
const agent = new Agent({ keepAlive: true });
let written = 0;

/** Writes one. @returns milliseconds until it was acknowledged */
async function write(): Promise<number> {
  const n = written++;
  const body = JSON.stringify({ field: 'notes', value: `written ${n}` });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const askedMs = performance.now();
  const asked = request(
    `${origin}/api/v1/expense/${((n * STRIDE) % records) + 1}`,
    {
      ...{ method: 'PATCH', agent, timeout: ANSWER_TIMEOUT_MS },
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    },
    (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode === 200) resolve(performance.now() - askedMs);
        else reject(new Error(`A write was answered with ${answer.statusCode}.`));
      });
    },
  );
  asked.once('error', reject).once('timeout', () => asked.destroy(new Error('No answer came.')));
  asked.end(body);
  return promise;
}

/** Writes until it is told to end. */
async function writeSteadily(ending: AbortSignal): Promise<Written> {
  const beganMs = performance.now();
  const writes: Promise<number>[] = [];
  while (!ending.aborted) {
    const dueMs = beganMs + (writes.length * 1_000) / WRITES_A_SECOND;
    const aheadMs = dueMs - performance.now();
    if (aheadMs > 0) await sleep(aheadMs);
    writes.push(write());
  }
  const latencies = await Promise.all(writes);
  return writtenOf(latencies, (performance.now() - beganMs) / 1_000);
}

let ending = new AbortController();
process.on('message', (message: SteadyRequest) => {
  if (message === 'end') return ending.abort();
  ending = new AbortController();
  void writeSteadily(ending.signal).then((one) => process.send?.(one));
});
// Whoever asked is gone: so is the use of this process.
process.on('disconnect', () => process.exit());
