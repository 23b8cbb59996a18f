import type { PgTable } from 'drizzle-orm/pg-core';

/** How a field's value is checked, kept exactly, and written as text. */
export type FieldKind = 'date' | 'text' | 'decimal';

/** One known field of a collection. Every value of a known field is a string or `null`:
 *  a date is its ISO day, a decimal its canonical spelling (`150.5`, never `150.50`). */
export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** A required field can be neither missing nor `null`. */
  readonly required: boolean;
  /** What a missing or `null` optional field means. */
  readonly whenMissing: string | null;
  /** One sentence for the API's documentation. */
  readonly description: string;
  /** A sample value in the API's shape, used by the documentation. */
  readonly example: string | number | null;
}

/** A named set of records of one shape. Routes, validation, the mapper between the stores and the
 *  OpenAPI document are all built from this one definition. */
export interface Collection {
  /** Singular: the route (`/api/v1/expense`), the queue payload and the log use it. */
  readonly name: string;
  /** Plural, lower case, for people and tags. */
  readonly plural: string;
  /** File name of the checkpoint inside `JSON_DIR`. */
  readonly file: string;
  readonly fields: readonly Field[];
  /** The field the list is ordered by (newest first). */
  readonly dateField: string;
  /** The Drizzle table. Its columns are the fields by name, and `id`, `extra`, `version`, `epoch`. */
  readonly table: PgTable;
}

/** Values of all known fields of one record, in definition order. */
export type FieldValues = Readonly<Record<string, string | null>>;

type FieldInput = Partial<Pick<Field, 'whenMissing'>> & Pick<Field, 'description' | 'example'>;

const field =
  (kind: FieldKind, required: boolean) =>
  (name: string, input: FieldInput): Field => ({
    name,
    kind,
    required,
    whenMissing: input.whenMissing ?? null,
    description: input.description,
    example: input.example,
  });

/** Constructors for a definition file: `required.date('date', …)`, `optional.text('notes', …)`. */
export const required = {
  date: field('date', true),
  text: field('text', true),
  decimal: field('decimal', true),
};
export const optional = {
  date: field('date', false),
  text: field('text', false),
  decimal: field('decimal', false),
};

const RESERVED = new Set(['id', 'version', 'epoch', 'extra']);

/**
 * Checks a definition and freezes it.
 * @throws {Error} when a field name is reserved or repeated, or the date field is not a date.
 */
export function defineCollection(definition: Collection): Collection {
  const names = new Set<string>();
  for (const { name } of definition.fields) {
    if (RESERVED.has(name) || names.has(name)) {
      throw new Error(`Collection ${definition.name}: the field name "${name}" can't be used.`);
    }
    names.add(name);
  }
  const date = definition.fields.find(({ name }) => name === definition.dateField);
  if (date?.kind !== 'date') {
    throw new Error(`Collection ${definition.name}: ${definition.dateField} is not a date field.`);
  }
  return Object.freeze(definition);
}
