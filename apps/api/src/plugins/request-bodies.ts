import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';

/** As the headers tell, before anything of it is read. */
const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/**
 * Takes JSON bodies as the bytes they were sent: the routes read them exactly (`request-json.ts`),
 * the fingerprint of an idempotency key is made of them, and nothing is coerced or stripped on the
 * way. Any other content type is 415, but where it names the type of a body that a deletion does not
 * have. Schemas are documentation only.
 */
export const requestBodies = plugin(
  async (app: FastifyInstance) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) =>
      done(null, bytes),
    );
    app.addContentTypeParser('*', (request, _body, done) => {
      const isBare = request.method === 'DELETE' && !hasBody(request);
      if (isBare) done(null);
      else done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(request.headers['content-type']));
    });
    app.setValidatorCompiler(() => () => true);
    app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  },
  { name: 'request-bodies' },
);
