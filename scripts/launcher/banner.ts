import type { Configuration } from '@tandem/storage/configuration';

/** An address to call from this machine: a wildcard host is no destination. */
export const originOf = (host: string, port: number): string => {
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? host;
  return `http://${reachable.includes(':') && !reachable.startsWith('[') ? `[${reachable}]` : reachable}:${port}`;
};

/**
 * Where everything is, for who just typed `npm start`.
 * @param options `operatorToken` only where a person reads this and nothing keeps it: a terminal
 */
export function banner(
  { host, port, dataDir, jsonDir, databaseUrl }: Configuration,
  options: { migrated: boolean; operatorToken: string | undefined },
): string {
  const api = originOf(host, port);
  const database =
    databaseUrl === undefined
      ? `embedded PostgreSQL in ${dataDir}/postgres`
      : `the PostgreSQL of DATABASE_URL${options.migrated ? '' : ', which is not reached yet'}`;
  const { operatorToken } = options;
  // A fragment is never sent to a server, and so stands in no log of one.
  const key = operatorToken === undefined ? '' : `#token=${encodeURIComponent(operatorToken)}`;
  return [
    '',
    'Tandem is ready.',
    `  API       ${api}/api/v1/expense`,
    `  API docs  ${api}/docs`,
    `  Console   ${api}/console${key}`,
    `  JSON      ${jsonDir}`,
    `  Database  ${database}`,
    '  State     npm run -s tandem -- status',
    '  SQL       npm run -s tandem -- sql "select * from expenses"',
    '  Stop      Ctrl-C',
    '',
    '',
  ].join('\n');
}
