import type { Collection, FieldValues } from './collection.ts';
import { isJsonObject } from './exact-json.ts';
import { checkField, checkFields, type FieldProblem } from './field-value.ts';

/** The outcome of reading a request body: the values to write, or what is wrong with them. */
export type Input =
  | { readonly ok: true; readonly values: FieldValues }
  | { readonly ok: false; readonly problems: readonly FieldProblem[] };

const wholeBody = (problem: string): Input => ({
  ok: false,
  problems: [{ field: 'body', problem }],
});

/** A `POST` body: every field, optional ones filled in. Unknown properties are ignored. */
export function readCreate(collection: Collection, body: unknown): Input {
  if (!isJsonObject(body)) return wholeBody('must be a JSON object');
  const { values, problems } = checkFields(collection.fields, body);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, values };
}

/** A `PUT` body: any subset of the fields. */
export function readUpdate(collection: Collection, body: unknown): Input {
  if (!isJsonObject(body)) return wholeBody('must be a JSON object');
  const sent = collection.fields.filter(({ name }) => Object.hasOwn(body, name));
  const { values, problems } = checkFields(sent, body);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, values };
}

/** A `PATCH` body's one field, or `undefined` when the collection has no such field. */
export function readFieldUpdate(
  collection: Collection,
  name: string,
  value: unknown,
): Input | undefined {
  const field = collection.fields.find((candidate) => candidate.name === name);
  if (field === undefined) return undefined;
  const checked = checkField(field, value);
  return 'problem' in checked
    ? { ok: false, problems: [{ field: name, problem: checked.problem }] }
    : { ok: true, values: { [name]: checked.value } };
}
