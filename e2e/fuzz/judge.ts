import type { ApiDocument } from './api-document.ts';
import type { FuzzRequest } from './requests.ts';
import type { WireAnswer } from './wire.ts';

const PROBLEM_JSON = 'application/problem+json';
/** Answers to what is no request of an operation, whatever it is. */
const OF_THE_TRANSPORT = ['malformed', 'uri-too-long', 'headers-too-large', 'request-timeout'];
/** `CONNECT` asks for a tunnel: there is none, and the connection ends. */
const isTunnel = ({ method, bytes }: FuzzRequest): boolean =>
  method === 'CONNECT' || bytes.includes('CONNECT ');

/** Says what is wrong with an answer; `undefined` when it is one that the API promises. */
export function faultOf(
  document: ApiDocument,
  request: FuzzRequest,
  answer: WireAnswer | undefined,
): string | undefined {
  if (answer === undefined)
    return isTunnel(request) ? undefined : 'the connection ended without an answer';
  const { status, headers, body } = answer;
  const shown = `${status} ${body.toString('utf8', 0, 300)}`;
  if (status >= 500) return `answered with ${shown}`;
  const isBare = status === 400 && body.length === 0 && request.method !== 'HEAD';
  // Node answers a request that names no host before any of this API sees it.
  if (isBare) return lacksHost(request) ? undefined : `answered with ${shown}`;
  const echoed = headers.get('x-request-id');
  if (echoed === undefined) return `no X-Request-Id in ${shown}`;
  if (request.requestId !== undefined && status !== 400 && echoed !== request.requestId) {
    return `the request id is ${echoed}`;
  }
  if (status === 405 && !headers.has('allow')) return 'no Allow in a 405';
  if (body.length === 0) return undefined;
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  const value = type.endsWith('json') ? parsed(body) : body.toString();
  if (value === undefined) return `the body is no JSON: ${shown}`;
  if (type === PROBLEM_JSON) {
    const fault = document.noProblem(value) ?? contradiction(value, status);
    if (fault !== undefined) return `${fault}: ${shown}`;
    if (OF_THE_TRANSPORT.includes(codeOf(value))) return undefined;
  } else if (status >= 400) return `an error is ${type}: ${shown}`;
  if (request.operation === undefined) return undefined;
  const fault = document.mismatch(request.operation, status, type, value);
  return fault === undefined ? undefined : `${fault}: ${shown}`;
}

const lacksHost = ({ bytes }: FuzzRequest): boolean =>
  !/\r\nHost: *[^\s]/i.test(bytes.toString('latin1'));

const codeOf = (problem: unknown): string =>
  (problem as { type: string }).type.replace('/problems/', '');

const contradiction = (problem: unknown, status: number): string | undefined =>
  (problem as { status: number }).status === status ? undefined : 'its status is another';

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
