import { SESSION_COOKIE } from '../guard/console-session.ts';
import { instant, operation, orNull, whole } from './operator-schemas.ts';
import { problemResponses } from './problem-schemas.ts';

const NOTHING = { type: 'null', description: 'Done.' };
const REFUSED = ['unauthorized', 'forbidden', 'rate-limited'] as const;
const refusals = problemResponses(REFUSED);
/** A body is not needed; one that comes is looked at all the same. */
const withBody = problemResponses([...REFUSED, 'too-large', 'unsupported-media-type']);

export const openSessionSchema = {
  ...operation('Exchange the operators’ token for the console’s cookie', NOTHING),
  description: `The cookie \`${SESSION_COOKIE}\` is HttpOnly and SameSite=Strict and lasts 12 hours. With it, every method but GET and HEAD also needs \`X-Tandem-Console: 1\`.`,
  // A session is no way to another one.
  security: [{ operatorToken: [] }],
  response: { 204: NOTHING, ...withBody },
};

export const readSessionSchema = {
  ...operation('How long the console’s session lasts', whole({ expiresAt: orNull(instant) })),
  response: { 200: whole({ expiresAt: orNull(instant) }), ...refusals },
};

export const closeSessionSchema = {
  ...operation('End the console’s session', NOTHING),
  response: { 204: NOTHING, ...withBody },
};
