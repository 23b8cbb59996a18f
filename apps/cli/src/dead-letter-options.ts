import type { StoreName } from '@tandem/storage/phase';
import type { DeadLetterFilter } from '@tandem/storage/replication';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** The options of every command that takes a filter. */
export interface FilterOptions {
  readonly to?: StoreName;
  readonly collection?: string;
  readonly record?: number;
  readonly cause?: string;
  readonly fingerprint?: string;
  readonly olderThan?: Date;
  readonly newerThan?: Date;
  readonly contains?: string;
  readonly field?: { readonly name: string; readonly value: string };
}

export const withFilter = (command: Command): Command =>
  command
    .addOption(
      new Option('--to <store>', 'the store they should have reached').choices([
        'postgres',
        'json',
      ]),
    )
    .option('--collection <name>', 'e.g. expense')
    .option('--record <id>', 'of one record', count)
    .option('--cause <word>', 'e.g. rejected, conflict, fork, malformed, defect')
    .option('--fingerprint <digits>', 'of one kind of failure, as "groups" gives it')
    .option('--older-than <age>', 'dead for longer, e.g. 30m, 12h, 7d; or before an instant', age)
    .option('--newer-than <age>', 'dead for no longer; or since an instant', age)
    .option('--contains <text>', 'a part of what they carry, case ignored')
    .option('--field <name=value>', 'whose record has this value, e.g. account=Cash', field);

export function filterOf(options: FilterOptions): DeadLetterFilter {
  const { to, record, collection, cause, fingerprint, olderThan, newerThan, contains } = options;
  const filter = {
    ...{ direction: to, recordId: record, field: options.field },
    ...{ collection, cause, fingerprint, olderThan, newerThan, contains },
  };
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

export function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

function field(text: string): { name: string; value: string } {
  const at = text.indexOf('=');
  if (at > 0) return { name: text.slice(0, at), value: text.slice(at + 1) };
  throw new InvalidArgumentError('It must be a field and its value, such as account=Cash.');
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 };

/** An age before now, or an ISO instant. */
function age(text: string): Date {
  const [, number, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const ageMs = Number(number) * (UNIT_MS[unit] ?? Number.NaN);
  const instant = new Date(Number.isNaN(ageMs) ? Date.parse(text) : Date.now() - ageMs);
  if (!Number.isNaN(instant.getTime())) return instant;
  throw new InvalidArgumentError('It must be an age such as 30m, 12h or 7d, or an ISO instant.');
}
