import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Schema } from './json-texts.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

/** One operation of the document. */
export interface Operation {
  readonly method: string;
  /** With `{id}` and the like. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** `undefined`: it takes no body. */
  readonly body: Schema | undefined;
  /** Statuses that are documented. */
  readonly statuses: ReadonlySet<number>;
  readonly needsOperator: boolean;
}

interface Media {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}
/** As much of the document as is looked at here. */
export interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
            readonly requestBody?: Media;
            readonly responses: Readonly<Record<string, Media>>;
            readonly security?: readonly object[];
          }
        >
      >
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** The OpenAPI document of a running API: what may be asked, and what is an answer. */
export class ApiDocument {
  readonly operations: readonly Operation[];
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly #document: Document;
  readonly #ajv = new Ajv2020({ strict: false });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: Document) {
    this.#document = document;
    this.schemas = document.components.schemas;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, 'openapi');
    this.operations = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({
        ...{ method: method.toUpperCase(), path },
        parameters: (operation.parameters ?? []).filter((one): one is Parameter => 'name' in one),
        body: operation.requestBody?.content?.['application/json']?.schema,
        statuses: new Set(Object.keys(operation.responses).map(Number)),
        needsOperator: (operation.security ?? []).some((one) => 'operatorToken' in one),
      })),
    );
  }

  /** What is wrong with an answer's JSON; `undefined` when it is as documented. */
  mismatch(operation: Operation, status: number, type: string, value: unknown): string | undefined {
    const { path, method } = operation;
    const responses = this.#document.paths[path]?.[method.toLowerCase()]?.responses;
    const { content } = responses?.[status] ?? {};
    if (content === undefined) return `no ${type} is documented for ${status}`;
    if (!(type in content)) return `${type} is none of ${Object.keys(content).join(', ')}`;
    const parts = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content'];
    return this.#check(pointer([...parts, type, 'schema']), value);
  }

  /** As `mismatch`, for a problem that any request may have. */
  noProblem(value: unknown): string | undefined {
    return this.#check('components/schemas/Problem', value);
  }

  #check(reference: string, value: unknown): string | undefined {
    let validate = this.#validators.get(reference);
    if (validate === undefined) {
      validate = this.#ajv.compile({ $ref: `openapi#/${reference}` });
      this.#validators.set(reference, validate);
    }
    return validate(value) ? undefined : JSON.stringify(validate.errors).slice(0, 500);
  }
}

const pointer = (parts: readonly string[]): string =>
  parts
    .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
