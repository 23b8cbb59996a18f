import { TandemError } from '@tandem/storage/errors';
import {
  DEAD_LETTER_ACTS,
  type DeadLetter,
  type DeadLetterGroup,
  type DeadLetterOperations,
} from '@tandem/storage/replication';
import { type XrayPorts, xrayIfKnown, xrayRecord } from '@tandem/storage/xray';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { isAdoptableId } from '../record-id.ts';
import { sendTagged } from '../tagged-answer.ts';
import { readOrder, readPage, readQueryFilter } from './dead-letter-request.ts';
import {
  discardSchema,
  groupLettersSchema,
  listLettersSchema,
  redriveSchema,
} from './dead-letter-schemas.ts';
import { readLetterSchema, xraySchema } from './record-xray-schema.ts';

export interface DeadLetterRoutesOptions {
  readonly operations: DeadLetterOperations;
  /** Where a record may stand. */
  readonly xray: XrayPorts;
}

const BASE = '/api/v1/migration';
const ACT_SCHEMAS = { redrive: redriveSchema, discard: discardSchema } as const;

/** What operators see of the dead letters and order about them, and the X-ray of a record. */
export function deadLetters(
  app: FastifyInstance,
  { operations, xray }: DeadLetterRoutesOptions,
): void {
  const config = { scope: 'operator' } as const;
  const path = `${BASE}/dead-letters`;

  app.get(path, { config, schema: listLettersSchema }, async (request, reply) => {
    const { filter, page } = readPage(request);
    const { letters, total, next } = await operations.page(filter, page);
    return sendTagged(request, reply, { letters: letters.map(letterView), total, next });
  });

  app.get(`${path}/groups`, { config, schema: groupLettersSchema }, async (request, reply) => {
    const { groups, ...counts } = await operations.groups(readQueryFilter(request));
    return sendTagged(request, reply, { ...counts, groups: groups.map(groupView) });
  });

  app.get(`${path}/:jobId`, { config, schema: readLetterSchema }, async (request) => {
    const { jobId } = request.params as { jobId: string };
    const letter = await operations.read(jobId);
    const { item } = letter;
    const record = item?.kind === 'change' ? await xrayIfKnown(item.change, xray) : null;
    return { letter: letterView(letter), record };
  });

  for (const act of DEAD_LETTER_ACTS) {
    app.post(`${path}/${act}`, { config, schema: ACT_SCHEMAS[act] }, async (request, reply) => {
      const { filter, order } = readOrder(request);
      const signal = goneSignal(reply);
      const { groups, ...answer } = await operations.act(act, filter, { ...order, signal });
      return { ...answer, groups: groups.map(groupView) };
    });
  }

  app.get(
    `${BASE}/records/:collection/:id`,
    { config, schema: xraySchema },
    async (request, reply) => {
      const { collection, id } = request.params as { collection: string; id: string };
      if (!isAdoptableId(id)) throw new TandemError('not-found', `No record has the id ${id}.`);
      const found = await xrayRecord({ collection, id: Number(id) }, xray);
      const { at: _, ...content } = found;
      return sendTagged(request, reply, found, content);
    },
  );
}

/** Aborts when the answer was sent, or nobody waits for it any more. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}

/** A letter with what it carries by kind. */
function letterView({ item, ...letter }: DeadLetter): object {
  return {
    ...letter,
    change: item?.kind === 'change' ? item.change : null,
    key: item?.kind === 'key' ? item.key : null,
  };
}

const groupView = ({ example, ...group }: DeadLetterGroup): object => ({
  ...group,
  example: letterView(example),
});
