export { ClientTokens } from './client-tokens.ts';
export { allows, Credentials, type Grant } from './credentials.ts';
export { operatorToken } from './operator-token.ts';
export { REFUSAL_KINDS, type RefusalKind } from './refusal-kinds.ts';
export { RefusalLimit } from './refusal-limit.ts';
export { TOKEN_SCOPES, type TokenRecord, type TokenScope } from './token-record.ts';
export { createToken, readTokens, revokeToken, tokenFilePath } from './token-store.ts';
export { bearerDigest } from './token-text.ts';
