import { createHash } from 'node:crypto';
import type { Write } from '@tandem/storage/changes';
import { TandemError } from '@tandem/storage/errors';
import type { FastifyRequest } from 'fastify';

/** 1 to 255 visible ASCII characters. A header sent twice is joined with a blank, so it is refused. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The `Idempotency-Key` of a write and the fingerprint of the request it came with: SHA-256, in hex,
 * of method, path and the body's bytes as they were sent.
 * @throws {TandemError} `invalid`
 */
export function readIdempotencyKey(request: FastifyRequest): Write['key'] {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) {
    const problem = 'must be 1 to 255 visible ASCII characters';
    throw new TandemError('invalid', `Idempotency-Key ${problem}.`, {
      detail: { errors: [{ field: 'Idempotency-Key', problem }] },
    });
  }
  const path = request.url.split('?', 1)[0];
  const hash = createHash('sha256').update(`${request.method}\n${path}\n`);
  if (request.body instanceof Buffer) hash.update(request.body);
  return { key, fingerprint: hash.digest('hex') };
}
