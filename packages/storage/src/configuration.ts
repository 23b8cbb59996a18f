import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { TandemError } from './errors.ts';
import type { PhaseFlags } from './phase/index.ts';
import { type ConfiguredToken, readEnvironmentTokens } from './tokens/environment-tokens.ts';

/** What every process of one installation must agree on; read from the environment (DESIGN.md 11). */
export interface Configuration {
  readonly host: string;
  readonly port: number;
  readonly workerPort: number;
  /** Absolute. Holds `json/` and, when embedded, `postgres/`. */
  readonly dataDir: string;
  /** Absolute. Where `expenses.json` lives. */
  readonly jsonDir: string;
  /** `undefined`: none was given, the embedded server is meant. */
  readonly databaseUrl: string | undefined;
  /** Flags locked by `FF_…` variables. */
  readonly lockedFlags: Partial<PhaseFlags>;
  readonly adoptExternalEdits: boolean;
  readonly corsOrigin: string | undefined;
  /** `undefined`: one is generated into the data folder. */
  readonly operatorToken: string | undefined;
  /** Those of `CLIENT_TOKENS`, as digests. */
  readonly clientTokens: readonly ConfiguredToken[];
  /** Whether clients without a token are let in wherever they come from. */
  readonly allowAnonymous: boolean;
  /** Whose word about a client's address counts: addresses, networks, or names of such. */
  readonly trustedProxies: readonly string[];
  /** Requests of the records that one client may send in a minute; `undefined`: any number. */
  readonly rateLimits: { readonly reads: number | undefined; readonly writes: number | undefined };
  /** Beyond it requests of the records are refused; `undefined`: a share of what the machine has. */
  readonly memoryLimitBytes: number | undefined;
  /** Share of the reads that are repeated on the secondary, 0 to 1. */
  readonly shadowReadRate: number;
  /** How often the stores are compared: what changed, and everything. In ms; `null` never. */
  readonly verifySchedule: { readonly changedMs: number | null; readonly fullMs: number | null };
  readonly logLevel: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const FLAG_WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  yes: true,
  on: true,
  false: false,
  0: false,
  no: false,
  off: false,
};
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

const refuse = (variable: string, sentence: string): never => {
  throw new TandemError('configuration', `${variable} ${sentence}`, { detail: { variable } });
};

/** A variable that is set and not empty. */
const given = (environment: Environment, name: string): string | undefined =>
  environment[name] === undefined || environment[name].trim() === ''
    ? undefined
    : environment[name].trim();

function flag(environment: Environment, variable: string): boolean | undefined {
  const text = given(environment, variable);
  if (text === undefined) return undefined;
  const word = text.toLowerCase();
  if (!Object.hasOwn(FLAG_WORDS, word)) {
    refuse(variable, `is "${text}"; it must be true, 1, yes, on, false, 0, no or off.`);
  }
  return FLAG_WORDS[word];
}

function port(environment: Environment, variable: string, otherwise: number): number {
  const text = given(environment, variable);
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535) {
    refuse(variable, `is "${text}"; it must be a port from 0 to 65535.`);
  }
  return number;
}

/** A number from 0 to 1; 0 unless given. */
function share(environment: Environment, variable: string): number {
  const text = given(environment, variable) ?? '0';
  const number = Number(text);
  if (Number.isNaN(number) || number < 0 || number > 1) {
    refuse(variable, `is "${text}"; it must be a number from 0 to 1.`);
  }
  return number;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 };

/** A span in ms; `null` for never. */
function interval(environment: Environment, variable: string, otherwise: number): number | null {
  const text = given(environment, variable);
  if (text === undefined) return otherwise;
  if (text.toLowerCase() === 'off') return null;
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Number(number) * (UNIT_MS[unit] ?? Number.NaN);
  if (!(ms > 0)) refuse(variable, `is "${text}"; it must be a span such as 30s, 5m, 24h, or off.`);
  return ms;
}

/** A number of requests a minute; `undefined` for any. */
function rate(environment: Environment, variable: string): number | undefined {
  const text = given(environment, variable);
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    refuse(variable, `is "${text}"; it must be a number of requests a minute, from 1 to 9999999.`);
  }
  return Number(text);
}

const PROXY_NAMES = ['loopback', 'linklocal', 'uniquelocal'];

function proxies(environment: Environment): readonly string[] {
  const names = given(environment, 'TRUSTED_PROXIES')?.split(',') ?? [];
  return names.map((given) => {
    const name = given.trim();
    const [address = '', bits] = name.split('/');
    const isNetwork =
      bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= widthOf(address));
    if (PROXY_NAMES.includes(name) || (isIP(address) !== 0 && isNetwork)) return name;
    return refuse(
      'TRUSTED_PROXIES',
      `has "${name}"; it must be addresses or networks such as 10.0.0.0/8.`,
    );
  });
}

const widthOf = (address: string): number => (isIP(address) === 4 ? 32 : 128);

const UNIT_BYTES: Readonly<Record<string, number>> = { M: 2 ** 20, G: 2 ** 30 };

/** An amount of memory in bytes. */
function memory(environment: Environment, variable: string): number | undefined {
  const text = given(environment, variable);
  if (text === undefined) return undefined;
  const [, number, unit = ''] = /^([1-9]\d{0,5})([MG])$/i.exec(text) ?? [];
  const bytes = Number(number) * (UNIT_BYTES[unit.toUpperCase()] ?? Number.NaN);
  if (!(bytes > 0)) refuse(variable, `is "${text}"; it must be an amount such as 512M or 2G.`);
  return bytes;
}

/** Tokens and everybody at once would look like a lock on an open door. */
function clients(environment: Environment): Pick<Configuration, 'clientTokens' | 'allowAnonymous'> {
  const text = given(environment, 'CLIENT_TOKENS');
  const clientTokens = text === undefined ? [] : readEnvironmentTokens(text);
  if (typeof clientTokens === 'string') return refuse('CLIENT_TOKENS', clientTokens);
  const allowAnonymous = flag(environment, 'ALLOW_ANONYMOUS_CLIENTS') ?? false;
  if (allowAnonymous && clientTokens.some(({ scope }) => scope !== 'metrics')) {
    refuse('CLIENT_TOKENS', 'is given and ALLOW_ANONYMOUS_CLIENTS=true; one of them must go.');
  }
  return { clientTokens, allowAnonymous };
}

/** Checks the shape only; the value, which may hold a password, is never repeated. */
function databaseUrl(environment: Environment): string | undefined {
  const text = given(environment, 'DATABASE_URL');
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    refuse('DATABASE_URL', 'is not of the form postgres://user:password@host:port/database.');
  }
  return text;
}

/** Whoever has it may move the phase, so it must not be guessed. Its value is never repeated. */
function operatorToken(environment: Environment): string | undefined {
  const text = given(environment, 'OPERATOR_TOKEN');
  if (text !== undefined && !/^[\x21-\x7e]{16,512}$/.test(text)) {
    refuse('OPERATOR_TOKEN', 'must have 16 to 512 visible ASCII characters.');
  }
  return text;
}

/**
 * Reads the environment.
 * @throws {TandemError} `configuration` with one sentence that names the variable
 */
export function readConfiguration(environment: Environment = process.env): Configuration {
  const dataDir = resolve(given(environment, 'DATA_DIR') ?? './data');
  const logLevel = given(environment, 'LOG_LEVEL') ?? 'info';
  if (!LOG_LEVELS.includes(logLevel)) {
    refuse('LOG_LEVEL', `is "${logLevel}"; it must be one of ${LOG_LEVELS.join(', ')}.`);
  }
  const useDatabase = flag(environment, 'FF_USE_DATABASE_STORAGE');
  const dualWrite = flag(environment, 'FF_DUAL_WRITE_ENABLED');
  return {
    host: given(environment, 'HOST') ?? '127.0.0.1',
    port: port(environment, 'PORT', 8000),
    workerPort: port(environment, 'WORKER_PORT', 8001),
    dataDir,
    jsonDir: resolve(given(environment, 'JSON_DIR') ?? join(dataDir, 'json')),
    databaseUrl: databaseUrl(environment),
    lockedFlags: {
      ...(useDatabase === undefined ? {} : { USE_DATABASE_STORAGE: useDatabase }),
      ...(dualWrite === undefined ? {} : { DUAL_WRITE_ENABLED: dualWrite }),
    },
    adoptExternalEdits: flag(environment, 'ADOPT_EXTERNAL_EDITS') ?? false,
    corsOrigin: given(environment, 'CORS_ORIGIN'),
    operatorToken: operatorToken(environment),
    ...clients(environment),
    trustedProxies: proxies(environment),
    rateLimits: {
      reads: rate(environment, 'RATE_LIMIT_READS'),
      writes: rate(environment, 'RATE_LIMIT_WRITES'),
    },
    memoryLimitBytes: memory(environment, 'MEMORY_LIMIT'),
    shadowReadRate: share(environment, 'SHADOW_READ_RATE'),
    verifySchedule: {
      changedMs: interval(environment, 'VERIFY_EVERY', 5 * 60_000),
      fullMs: interval(environment, 'VERIFY_FULL_EVERY', 24 * 3_600_000),
    },
    logLevel,
  };
}

/**
 * Whoever reaches the port can read and change every record unless clients need a token, so a wider
 * reach must be asked for.
 * @param areClientsKnown whether clients' tokens have been made
 * @throws {TandemError} `configuration`
 */
export function refuseStrangers(
  { host, allowAnonymous }: Pick<Configuration, 'host' | 'allowAnonymous'>,
  areClientsKnown: boolean,
): void {
  const isLoopback = host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
  if (isLoopback || allowAnonymous || areClientsKnown) return;
  refuse(
    'HOST',
    `is "${host}", which other machines can reach; make tokens for the clients ("tandem token create", or CLIENT_TOKENS), or set ALLOW_ANONYMOUS_CLIENTS=true if anyone there may read and write.`,
  );
}
