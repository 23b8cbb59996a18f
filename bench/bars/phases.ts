import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Phase } from '@tandem/storage/phase';
import { type BenchServer, startBenchServer } from '../api/bench-server.ts';
import { type Fired, fireGets, firePages, firePosts } from '../api/cannon.ts';
import { type Running, withRunning } from '../api/running.ts';
import { startPeer } from '../api/service.ts';
import { figures, rates } from '../api/spelled.ts';
import { TandemSystem } from '../api/tandem-system.ts';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { inTurns, ratiosOf } from '../turns.ts';

const many = (records: number): string => records.toLocaleString('en');
const atLeast = (value: number) => ({ relation: '≥', value }) as const;

/** What is compared; everything runs during the whole of it, and what is not fired at is idle. */
interface Compared {
  readonly server: BenchServer;
  readonly small: TandemSystem;
  readonly large: TandemSystem;
  /** Stays in `json-only`. */
  readonly jsonOnly: TandemSystem;
  readonly echo: string;
  /** The least that a durable answer costs. */
  readonly append: string;
  readonly insert: string;
  readonly send: string;
}

/** POST/s of all of Tandem, in each phase, with few records and with many, against its peers. */
export async function phases(profile: Profile, folder: string): Promise<Result[]> {
  return withRunning(async (running) => {
    const server = await running.of(startBenchServer(join(folder, 'phases')));
    const compared = await start(running, server, profile, join(folder, 'phases'));
    return [
      ...(await jsonOnly(profile, compared)),
      ...(await jsonPrimary(profile, compared)),
      ...(await postgresPrimary(profile, compared)),
      ...(await postgresOnly(profile, compared)),
    ];
  });
}

async function start(
  running: Running,
  server: BenchServer,
  { records, apiSeconds }: Profile,
  folder: string,
): Promise<Compared> {
  const tandem = async (name: string, count: number): Promise<TandemSystem> => {
    await mkdir(join(folder, name));
    const url = await server.database(name);
    return running.of(TandemSystem.start(join(folder, name), url, count));
  };
  const peer = async (name: string): Promise<string> => {
    const url = await server.database(name);
    return (await running.of(startPeer(name, { DATABASE_URL: url }))).origin;
  };
  const compared: Compared = {
    server,
    small: await tandem('small', 0),
    large: await tandem('large', records),
    jsonOnly: await tandem('json_only', 0),
    echo: (await running.of(startPeer('echo-server'))).origin,
    append: (await running.of(startPeer('append-server', { DATA_DIR: folder }))).origin,
    insert: await peer('insert-server'),
    send: await peer('insert-and-send-server'),
  };
  const { small, large, jsonOnly, echo, append, insert, send } = compared;
  const systems = [small, large, jsonOnly].map(({ origin }) => origin);
  const origins = [...systems, echo, append, insert, send];
  for (const origin of origins) await firePosts(origin, apiSeconds);
  return compared;
}

/** Fires, then waits until the secondary has it all: its work belongs to nobody else's turn. */
async function fired(
  system: TandemSystem,
  seconds: number,
): Promise<Fired & { readonly backlogShare: number }> {
  const one = await firePosts(system.origin, seconds);
  const backlog = await system.backlog();
  await system.settle();
  return { ...one, backlogShare: backlog / one.answered };
}

/** Both systems in a phase, and what else is measured beside them, in turns. */
async function inPhase<Other extends string = never>(
  { apiTurns, apiSeconds }: Profile,
  { server, small, large }: Compared,
  phase: Phase,
  others: Readonly<Record<Other, string>>,
) {
  await Promise.all([small.moveTo(phase), large.moveTo(phase)]);
  // Moving a million records leaves the server busy, and the disk with it.
  for (const one of [small, large]) await one.vacuum();
  await server.flush();
  // The first writes in a phase meet cold code and cold caches.
  await fired(small, apiSeconds);
  await fired(large, apiSeconds);
  const peers = Object.fromEntries(
    Object.entries<string>(others).map(([name, origin]) => [
      name,
      () => firePosts(origin, apiSeconds),
    ]),
  ) as unknown as Record<Other, () => Promise<Fired>>;
  const tandem = {
    small: () => fired(small, apiSeconds),
    large: () => fired(large, apiSeconds),
  };
  return inTurns<Other | 'small' | 'large', Fired & { backlogShare?: number }>(apiTurns, {
    ...peers,
    ...tandem,
  } as Record<Other | 'small' | 'large', () => Promise<Fired & { backlogShare?: number }>>);
}

function stored(
  { records }: Profile,
  phase: Phase,
  { small, large }: { readonly small: Fired[]; readonly large: Fired[] },
): Result {
  return result(
    `POST in ${phase} with ${many(records)} records, over that with none at first`,
    atLeast(0.9),
    ratiosOf(rates(large), rates(small)),
    `${figures(large)}; ${figures(small)}`,
  );
}

const ofEcho = ({ append, echo }: Readonly<Record<'append' | 'echo', readonly Fired[]>>): string =>
  spellAll(ratiosOf(rates(append), rates(echo)));

async function jsonOnly(profile: Profile, compared: Compared): Promise<Result[]> {
  const { echo, append, large } = compared;
  const measured = await inPhase(profile, compared, 'json-only', { echo, append });
  const { apiTurns, apiSeconds } = profile;
  const reads = await inTurns(apiTurns, {
    get: () => fireGets(large.origin, apiSeconds),
    echoGet: () => fireGets(echo, apiSeconds),
    page: () => firePages(large.origin, apiSeconds),
    echoPage: () => firePages(echo, apiSeconds),
  });
  return [
    result(
      'POST in json-only, over a Fastify route that validates and echoes',
      atLeast(0.75),
      ratiosOf(rates(measured.small), rates(measured.echo)),
      `${figures(measured.small)}; echo ${figures(measured.echo)}; a route that validates, appends and syncs in groups, and nothing else: ${figures(measured.append)}, ${ofEcho(measured)} of the echo`,
    ),
    stored(profile, 'json-only', measured),
    ...readBars(profile, reads),
  ];
}

function readBars(
  { records }: Profile,
  reads: Readonly<Record<'get' | 'echoGet' | 'page' | 'echoPage', readonly Fired[]>>,
): Result[] {
  return [
    result(
      `GET by id at ${many(records)} records, over an echo of one record`,
      atLeast(0.6),
      ratiosOf(rates(reads.get), rates(reads.echoGet)),
      `${figures(reads.get)}; echo ${figures(reads.echoGet)}`,
    ),
    result(
      `GET of a page of 50 at ${many(records)} records, over an echo of 50`,
      atLeast(0.6),
      ratiosOf(rates(reads.page), rates(reads.echoPage)),
      `${figures(reads.page)}; echo ${figures(reads.echoPage)}`,
    ),
  ];
}

async function jsonPrimary(profile: Profile, compared: Compared): Promise<Result[]> {
  const others = { only: compared.jsonOnly.origin };
  const measured = await inPhase(profile, compared, 'json-primary', others);
  const shares = measured.small.map(({ backlogShare = 0 }) => backlogShare);
  return [
    result(
      'POST in json-primary with relay and worker running, over json-only',
      atLeast(0.7),
      ratiosOf(rates(measured.small), rates(measured.only)),
      `${figures(measured.small)}; json-only ${figures(measured.only)}`,
    ),
    result(
      'backlog right after it, as a share of the writes',
      { relation: '≤', value: 0.1 },
      shares,
      `after ${spellAll(
        measured.small.map(({ answered }) => answered),
        ' writes',
      )}`,
    ),
    stored(profile, 'json-primary', measured),
  ];
}

async function postgresPrimary(profile: Profile, compared: Compared): Promise<Result[]> {
  const { insert, send } = compared;
  const measured = await inPhase(profile, compared, 'postgres-primary', { insert, send });
  return [
    result(
      'POST in postgres-primary, over INSERT and pg-boss send in one transaction a request',
      atLeast(5),
      ratiosOf(rates(measured.small), rates(measured.send)),
      `${figures(measured.small)}; INSERT and send ${figures(measured.send)}`,
    ),
    result(
      'POST in postgres-primary, over one INSERT a request without a queue',
      atLeast(0.9),
      ratiosOf(rates(measured.small), rates(measured.insert)),
      `INSERT ${figures(measured.insert)}`,
    ),
    stored(profile, 'postgres-primary', measured),
  ];
}

async function postgresOnly(profile: Profile, compared: Compared): Promise<Result[]> {
  const { insert } = compared;
  const measured = await inPhase(profile, compared, 'postgres-only', { insert });
  return [
    result(
      'POST in postgres-only, over one INSERT a request',
      atLeast(1.4),
      ratiosOf(rates(measured.small), rates(measured.insert)),
      `${figures(measured.small)}; INSERT ${figures(measured.insert)}`,
    ),
    stored(profile, 'postgres-only', measured),
  ];
}
