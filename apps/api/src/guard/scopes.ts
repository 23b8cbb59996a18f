/**
 * Whom a route is for. Every route declares one in its `config`; a route that does not is refused when
 * the API is built (`guard/access.ts`).
 *
 * - `public`: anybody; tells nothing of a record and changes nothing
 * - `read`, `write`: clients of the records
 * - `metrics`: whoever collects metrics
 * - `operator`: whoever may move the phase
 */
export const SCOPES = ['public', 'read', 'write', 'metrics', 'operator'] as const;

export type Scope = (typeof SCOPES)[number];

/**
 * Routes that libraries bring along and that can't declare a scope. Each is named: one that a new
 * version of a library adds is refused like any other until somebody has decided about it.
 */
export const LIBRARY_ROUTES: Readonly<Record<string, Scope>> = {
  'OPTIONS *': 'public',
  'GET /docs': 'public',
  'GET /docs/': 'public',
  'GET /docs/json': 'public',
  'GET /docs/yaml': 'public',
};

/** The files of the documentation's page, and of the console: one route each. */
export const LIBRARY_FILES: readonly string[] = ['GET /docs/static/', 'GET /console/'];
