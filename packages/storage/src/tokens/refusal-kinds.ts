/**
 * Why somebody was not let in, as it is counted; a label of a metric, so these are all there are.
 *
 * - `missing`: nothing was brought
 * - `malformed`: no bearer token, or one that is mistyped or cut
 * - `unknown`, `revoked`: a token that counts no more, or never did
 * - `scope`: a good token that is not good for this
 * - `barred`: not looked at, after too many refused ones from the same address
 * - `session`: the console's cookie is forged, or its session has ended
 * - `origin`: the console's cookie, sent by another page
 */
export const REFUSAL_KINDS = [
  ...(['missing', 'malformed', 'unknown', 'revoked'] as const),
  ...(['scope', 'barred', 'session', 'origin'] as const),
] as const;

export type RefusalKind = (typeof REFUSAL_KINDS)[number];
