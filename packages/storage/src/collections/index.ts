export { canonicalValues, startsOf } from './canonical-values.ts';
export {
  type Collection,
  defineCollection,
  type Field,
  type FieldValues,
  optional,
  required,
} from './collection.ts';
export { canonicalDecimal } from './decimal.ts';
export {
  exactNumber,
  isExactNumber,
  isJsonObject,
  NESTING_MAX,
  nestsDeeper,
  parseExact,
  stringifyExact,
} from './exact-json.ts';
export { isExactObject, readExact, writeExact } from './exact-reader.ts';
export { checkField, type FieldProblem, isCalendarDay, TEXT_BYTES_MAX } from './field-value.ts';
export { type Input, readCreate, readFieldUpdate, readUpdate } from './input.ts';
export {
  ARRAY_END,
  ARRAY_START,
  COLON,
  COMMA,
  JsonScanner,
  OBJECT_END,
  OBJECT_START,
  QUOTE,
} from './json-scanner.ts';
export { readPlainCreate, readPlainUpdate } from './plain-input.ts';
export {
  canonicalText,
  type ReadRecord,
  type RecordParts,
  readRecord,
  readRecordObject,
  withFields,
} from './record-text.ts';
export { loadCollections } from './registry.ts';
