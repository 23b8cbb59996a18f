// Reads the two Docker files as Docker would, as far as the tests ask.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './tandem-process.ts';

export interface ComposeService {
  readonly image: string;
  readonly build?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

export interface Compose {
  readonly services: Readonly<Record<'db' | 'migrate' | 'worker' | 'api', ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** `docker-compose.yaml` with every `${NAME:-default}` and `${NAME-default}` as it is where no such variable is set. */
export function readCompose(): Compose {
  const text = readFileSync(join(root, 'docker-compose.yaml'), 'utf8');
  return JSON.parse(JSON.stringify(parse(text, { merge: true })), (_key, value) =>
    typeof value === 'string' ? value.replaceAll(/\$\{\w+:?-([^}]*)\}/g, '$1') : value,
  );
}

export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The instructions of the `Dockerfile`, continued lines joined. */
export function readDockerfile(): readonly Instruction[] {
  return readFileSync(join(root, 'Dockerfile'), 'utf8')
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...rest] = line.split(' ');
      return { name, rest: rest.join(' ') };
    });
}

/** What `COPY` takes from the checkout, and not from an earlier stage. */
export const copiedSources = (): readonly string[] =>
  readDockerfile()
    .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from='))
    .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
