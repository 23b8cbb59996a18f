/** As much of an OpenAPI 3.1 document as is looked at here. */
export interface OpenApiDocument {
  components?: Record<string, unknown>;
  paths?: Record<string, Record<string, OpenApiOperation>>;
}

interface OpenApiOperation {
  operationId?: string;
  parameters?: object[];
  responses: Record<string, { headers?: Record<string, object> }>;
  security?: object[];
}

const REQUEST_ID = { type: 'string', pattern: '^[\\w.:-]{1,128}$' };

const COMPONENTS = {
  headers: {
    RequestId: { description: 'The caller’s X-Request-Id, or a new one.', schema: REQUEST_ID },
  },
  parameters: {
    RequestId: {
      name: 'X-Request-Id',
      in: 'header',
      description: 'Names the request in the log; taken over if it has this form.',
      schema: REQUEST_ID,
    },
  },
};

/**
 * Adds what every operation has: the request id of every request and response, a name, and whether it
 * needs to know who asks.
 * @param examples of answers; those that operations refer to are put into the document
 */
export function completed(document: OpenApiDocument, examples: object): Record<string, unknown> {
  const text = JSON.stringify(document.paths);
  const used = Object.entries(examples).filter(([name]) => text.includes(`/examples/${name}"`));
  document.components = {
    ...document.components,
    ...COMPONENTS,
    examples: Object.fromEntries(used),
  };
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(operations)) {
      const { parameters = [], responses } = operation;
      operation.operationId ??= nameOf(method, path);
      operation.security ??= [];
      operation.parameters = [...parameters, { $ref: '#/components/parameters/RequestId' }];
      for (const response of Object.values(responses)) {
        const own = response.headers;
        response.headers = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' }, ...own };
      }
    }
  }
  return { ...document };
}

/** `get /api/v1/migration/orders/{id}` → `getMigrationOrdersById` */
function nameOf(method: string, path: string): string {
  const words = path
    .replace(/^\/api\/v\d+/, '')
    .replaceAll('{', 'by-')
    .split(/[^a-zA-Z0-9]+/)
    .filter((word) => word !== '');
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
