//   seed, index ──▶ request ──▶ bytes over a socket ──▶ answer ──▶ judge ──▶ violations
//                      ▲                                  │
//                      └────── acknowledged records ◀─────┘
import { randomFrom } from '@tandem/storage/testing';
import type { AcknowledgedRecords } from './acknowledged-records.ts';
import type { ApiDocument } from './api-document.ts';
import { faultOf } from './judge.ts';
import { type FuzzRequest, FuzzRequests } from './requests.ts';
import { Wire, type WireAnswer } from './wire.ts';

/** Connections at once. */
const LANES = 8;
/** Violations after which there is nothing more to learn. */
const VIOLATIONS_MAX = 20;
const SHOWN_LENGTH_MAX = 1_500;
/** Keeps the requests of two seeds apart. */
const STRIDE = 0x9e3779b1;

interface Campaign {
  readonly origin: string;
  readonly document: ApiDocument;
  readonly known: AcknowledgedRecords;
  readonly token: string;
  readonly requests: number;
  readonly seed: number;
}

export interface CampaignResult {
  readonly kinds: Readonly<Record<string, number>>;
  /** Answers by status; 0 stands for a connection that was closed without one. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Operations that answered 200. */
  readonly reached: ReadonlySet<string>;
  /** Each with the bytes that were sent. */
  readonly violations: readonly string[];
}

/** Sends that many requests over a few connections and judges every answer. */
export async function campaign(options: Campaign): Promise<CampaignResult> {
  const { origin, document, known, token, requests, seed } = options;
  const generator = new FuzzRequests(document, known, token);
  const kinds: Record<string, number> = {};
  const statuses = new Map<number, number>();
  const reached = new Set<string>();
  const violations: string[] = [];
  let next = 0;

  const shown = (bytes: Buffer): string => {
    const text = bytes.toString('latin1').replaceAll(token, 'TOKEN');
    return JSON.stringify(text.slice(0, SHOWN_LENGTH_MAX));
  };
  const violated = (index: number, request: FuzzRequest, what: string): void => {
    const place = `seed ${seed}, request ${index} (${request.kind})`;
    violations.push(`${place}: ${what}\n  ${shown(request.bytes)}`);
  };

  async function lane(): Promise<void> {
    let wire: Wire | undefined;
    let previous = 'nothing';
    while (next < requests && violations.length < VIOLATIONS_MAX) {
      const index = next++;
      const request = generator.next(randomFrom(Math.imul(seed + index, STRIDE)));
      kinds[request.kind] = (kinds[request.kind] ?? 0) + 1;
      const isApart = request.ending !== 'answer';
      const used: Wire = isApart || wire?.isOpen !== true ? await Wire.open(origin) : wire;
      if (!isApart) wire = used;
      const sent = known.sending(request);
      try {
        for (const answer of await exchange(used, request)) {
          const { status = 0 } = answer ?? {};
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          const fault = faultOf(document, request, answer);
          if (fault !== undefined) violated(index, request, `${fault}; before it came ${previous}`);
          if (answer === undefined) continue;
          const contradiction = known.answered(sent, answer);
          if (contradiction !== undefined) violated(index, request, contradiction);
          const { operation } = request;
          if (status === 200 && operation) reached.add(`${operation.method} ${operation.path}`);
        }
      } catch (error) {
        violated(index, request, `${(error as Error).message}; before it came ${previous}`);
        used.cut();
      }
      if (isApart) used.cut();
      else previous = shown(request.bytes);
    }
    wire?.cut();
  }
  await Promise.all(Array.from({ length: LANES }, lane));
  return { kinds, statuses, reached, violations };
}

/** Sends a request and reads what comes: one answer (`undefined` for none), or all until the end. */
async function exchange(
  wire: Wire,
  { bytes, method, ending }: FuzzRequest,
): Promise<readonly (WireAnswer | undefined)[]> {
  wire.send(bytes);
  if (ending === 'cut') return [];
  if (ending === 'answer') {
    const answer = await wire.answer(method);
    // Node answers as if no upgrade was asked for, and then does not hear of bytes that are no request:
    // the connection ends when it has been silent for long.
    const isDeaf = bytes.includes('\r\nUpgrade: ');
    if (isDeaf || answer?.headers.get('connection')?.toLowerCase() === 'close') wire.cut();
    return [answer];
  }
  wire.half();
  const answers: WireAnswer[] = [];
  for (;;) {
    const answer = await wire.answer(method);
    if (answer === undefined) return answers;
    answers.push(answer);
  }
}
