import { TOKEN_SCOPES, type TokenScope } from './token-record.ts';
import { digestOf, FOREIGN_TOKEN, isMistyped } from './token-text.ts';

/** A token of `CLIENT_TOKENS`: of what it is worth, and its digest. */
export interface ConfiguredToken {
  readonly scope: TokenScope;
  readonly digest: Buffer;
}

const WITH_SCOPE = new RegExp(`^(${TOKEN_SCOPES.join('|')}):(.*)$`);

/**
 * Reads `CLIENT_TOKENS`: tokens separated by commas, each with its scope before it (`read:…`,
 * `write:…`, `metrics:…`); without one it may write.
 * @returns the tokens, or one sentence about what is wrong, which repeats none of them
 */
export function readEnvironmentTokens(text: string): readonly ConfiguredToken[] | string {
  const tokens: ConfiguredToken[] = [];
  for (const [at, item] of text.split(',').entries()) {
    const [, scope = 'write', token = item.trim()] = WITH_SCOPE.exec(item.trim()) ?? [];
    const which = `the token at place ${at + 1}`;
    if (!FOREIGN_TOKEN.test(token)) {
      return `must be tokens of 16 to 512 visible ASCII characters, separated by commas; ${which} is none.`;
    }
    if (isMistyped(token)) return `has a mistyped token: the checksum of ${which} is wrong.`;
    tokens.push({ scope: scope as TokenScope, digest: digestOf(token) });
  }
  return tokens;
}
