import { inject } from 'vitest';
import { query } from './record-client.ts';

/** Makes an empty database of its own on the run's server. */
export async function newDatabase(): Promise<string> {
  const name = `e2e_${crypto.randomUUID().replaceAll('-', '')}`;
  await query(inject('postgresUrl'), `CREATE DATABASE ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return url.href;
}
