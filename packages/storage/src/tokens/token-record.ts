import { TandemError } from '../errors.ts';

/** What a client's token allows; `write` includes `read`. */
export const TOKEN_SCOPES = ['read', 'write', 'metrics'] as const;

export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** What is kept of a client's token. Instants are ISO texts. */
export interface TokenRecord {
  readonly id: string;
  /** Whom it was made for; no two live ones have the same. */
  readonly name: string;
  readonly scope: TokenScope;
  /** Hex. */
  readonly sha256: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly revokedAt: string | null;
  readonly revokedBy: string | null;
}

/** The whole of `tokens.json`. */
export interface TokenFile {
  readonly format: 1;
  readonly tokens: readonly TokenRecord[];
}

export const NO_TOKENS: TokenFile = { format: 1, tokens: [] };

export const isLive = ({ revokedAt }: TokenRecord): boolean => revokedAt === null;

/** Characters of a token's name. */
export const NAME_LENGTH_MAX = 64;
export const NAME = new RegExp(`^[\\w.@-]{1,${NAME_LENGTH_MAX}}$`);

/** @throws {TandemError} `configuration` naming the file when it is not as `tandem token` writes it */
export function readTokenFile(path: string, text: string): TokenFile {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    // The parser's own sentence repeats what it read.
    throw refusal(path, 'is not JSON', cause instanceof SyntaxError ? undefined : cause);
  }
  const { format, tokens } = (file ?? {}) as Partial<Record<keyof TokenFile, unknown>>;
  if (format !== 1 || !Array.isArray(tokens)) throw refusal(path, 'is of no known format');
  const wrong = tokens.findIndex((token) => !isTokenRecord(token));
  if (wrong !== -1) throw refusal(path, `has no token at place ${wrong}`);
  return { format, tokens };
}

const refusal = (path: string, what: string, cause?: unknown): TandemError =>
  new TandemError(
    'configuration',
    `${path} ${what}; put back the one that "tandem token" wrote, or remove it and make new tokens.`,
    cause === undefined ? {} : { cause },
  );

function isTokenRecord(value: unknown): value is TokenRecord {
  const token = (value ?? {}) as Partial<Record<keyof TokenRecord, unknown>>;
  const texts = [token.id, token.createdAt, token.createdBy, token.name];
  const isText = (one: unknown) => typeof one === 'string' && one !== '';
  const isTextOrNull = (one: unknown) => one === null || isText(one);
  return (
    texts.every(isText) &&
    TOKEN_SCOPES.some((scope) => scope === token.scope) &&
    typeof token.sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(token.sha256) &&
    isTextOrNull(token.revokedAt) &&
    isTextOrNull(token.revokedBy)
  );
}
