import { type Collection, type Field, TEXT_BYTES_MAX } from '@tandem/storage/collections';
import { RECORD_ID_MAX } from '../record-id.ts';

/** A JSON Schema (draft 2020-12, as OpenAPI 3.1 has it). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** `expense` → `Expense`: the name of its schema in the document. */
export const schemaName = ({ name }: Collection): string =>
  name.charAt(0).toUpperCase() + name.slice(1);

function typeOf(types: readonly string[], nullable: boolean): string | readonly string[] {
  const all = nullable ? [...types, 'null'] : types;
  return all.length === 1 ? (all[0] as string) : all;
}

/** What a field looks like in a request. What the text of a description says beyond the schema (exact
 *  decimals, bytes) is checked by the collection, not by this schema. */
function requestSchema(field: Field): JsonSchema {
  const { description, example } = field;
  const common = { description, examples: [example] };
  switch (field.kind) {
    case 'date':
      return { ...common, type: typeOf(['string'], !field.required), format: 'date' };
    case 'decimal':
      return {
        ...common,
        type: typeOf(['number', 'string'], !field.required),
        minimum: -99_999_999.99,
        maximum: 99_999_999.99,
        pattern: '^\\s*[+-]?\\d+(\\.\\d*)?([eE][+-]?\\d{1,3})?\\s*$',
      };
    case 'text':
      return {
        ...common,
        type: typeOf(['string'], !field.required),
        maxLength: TEXT_BYTES_MAX,
        description: `${description} At most ${TEXT_BYTES_MAX} bytes of UTF-8, without NUL.`,
      };
  }
}

function answerSchema(field: Field): JsonSchema {
  const nullable = !field.required && field.whenMissing === null;
  return {
    type: typeOf([field.kind === 'decimal' ? 'number' : 'string'], nullable),
    ...(field.kind === 'date' ? { format: 'date' } : {}),
    description: field.description,
    examples: [field.example],
  };
}

const properties = (collection: Collection, schemaOf: (field: Field) => JsonSchema) =>
  Object.fromEntries(collection.fields.map((field) => [field.name, schemaOf(field)]));

/** The fields' samples: what a client sends. */
const exampleBody = ({ fields }: Collection): JsonSchema =>
  Object.fromEntries(fields.map(({ name, example }) => [name, example]));

export const exampleRecord = (collection: Collection): JsonSchema => ({
  ...exampleBody(collection),
  id: 1,
});

/** The schemas of a collection that the document's operations refer to. */
export function collectionSchemas(collection: Collection): readonly JsonSchema[] {
  const name = schemaName(collection);
  const { fields } = collection;
  return [
    {
      $id: name,
      type: 'object',
      description:
        'A record. Numbers have the spelling they are stored with. A record that was adopted from a legacy file may have unknown fields; one that does not fit the schema is answered as it is.',
      required: [...fields.map((field) => field.name), 'id'],
      properties: {
        ...properties(collection, answerSchema),
        id: { type: 'integer', minimum: 1, maximum: RECORD_ID_MAX, examples: [1] },
      },
      additionalProperties: true,
    },
    {
      $id: `${name}Input`,
      type: 'object',
      description: 'Unknown properties are ignored and not stored; so are id, version and epoch.',
      required: fields.filter((field) => field.required).map((field) => field.name),
      properties: properties(collection, requestSchema),
      examples: [exampleBody(collection)],
    },
    {
      $id: `${name}Update`,
      type: 'object',
      description: 'Any subset of the fields; the others stay.',
      properties: properties(collection, requestSchema),
      examples: [exampleBody(collection)],
    },
  ];
}
