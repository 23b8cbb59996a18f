import type { TokenRecord } from '@tandem/storage/tokens';
import { textTable } from './text-table.ts';

const COLUMNS = ['id', 'name', 'scope', 'made', 'by', 'revoked'].map((name) => ({ name }));

/** Every token that was made, in the order of making. */
export function tokenListAsText(tokens: readonly Omit<TokenRecord, 'sha256'>[]): string {
  const rows = tokens.map(({ id, name, scope, createdAt, createdBy, revokedAt, revokedBy }) => {
    const revoked = revokedAt === null ? null : `${revokedAt} by ${revokedBy}`;
    return [id, name, scope, createdAt, createdBy, revoked];
  });
  const count = `(${rows.length} ${rows.length === 1 ? 'token' : 'tokens'})`;
  return [...textTable(COLUMNS, rows), count].join('\n');
}
