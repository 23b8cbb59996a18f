import { SESSION_COOKIE } from '../guard/console-session.ts';
import { instant, operation, orNull, whole } from './operator-schemas.ts';
import { problemResponses } from './problem-schemas.ts';

const NOTHING = { type: 'null', description: 'Done.' };
const refusals = problemResponses(['unauthorized', 'forbidden', 'rate-limited']);

export const openSessionSchema = {
  ...operation('Exchange the operators’ token for the console’s cookie', NOTHING),
  description: `The cookie \`${SESSION_COOKIE}\` is HttpOnly and SameSite=Strict and lasts 12 hours. With it, every method but GET and HEAD also needs \`X-Tandem-Console: 1\`.`,
  response: { 204: NOTHING, ...refusals },
};

export const readSessionSchema = {
  ...operation('How long the console’s session lasts', whole({ expiresAt: orNull(instant) })),
  response: { 200: whole({ expiresAt: orNull(instant) }), ...refusals },
};

export const closeSessionSchema = {
  ...operation('End the console’s session', NOTHING),
  response: { 204: NOTHING, ...refusals },
};
