import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fired, fireGets, firePosts } from '../api/cannon.ts';
import { type Service, startJsonOnly, startJsonPrimary, startPeer } from '../api/service.ts';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { inTurns, ratiosOf } from '../turns.ts';

const rates = (fired: readonly Fired[]): number[] => fired.map(({ perSecond }) => perSecond);

const figures = (fired: readonly Fired[]): string =>
  `${spellAll(rates(fired), ' req/s')}, p99 ${spellAll(
    fired.map(({ p99Ms }) => p99Ms),
    ' ms',
  )}`;

/** What a request costs, against a Fastify route that only validates and echoes. */
export async function api(profile: Profile, folder: string): Promise<Result[]> {
  const only = join(folder, 'json-only');
  const primary = join(folder, 'json-primary');
  await mkdir(only);
  await mkdir(primary);
  const services: Service[] = [];
  const started = async (starting: Promise<Service>): Promise<string> => {
    const service = await starting;
    services.push(service);
    return service.origin;
  };
  try {
    const [bare, jsonOnly, jsonPrimary] = await Promise.all([
      started(startPeer('echo-server')),
      started(startJsonOnly(only)),
      started(startJsonPrimary(primary)),
    ]);
    const { apiSeconds: seconds } = profile;
    for (const origin of [bare, jsonOnly, jsonPrimary]) await firePosts(origin, seconds);
    const measured = await inTurns(profile.longTurns, {
      bare: () => firePosts(bare, seconds),
      jsonOnly: () => firePosts(jsonOnly, seconds),
      jsonPrimary: () => firePosts(jsonPrimary, seconds),
      bareGet: () => fireGets(bare, seconds),
      get: () => fireGets(jsonOnly, seconds),
    });
    return [
      result(
        'POST in json-only, over a bare Fastify route that validates and echoes',
        { relation: '≥', value: 0.75 },
        ratiosOf(rates(measured.jsonOnly), rates(measured.bare)),
        `${figures(measured.jsonOnly)}; bare ${figures(measured.bare)}`,
      ),
      result(
        'POST in json-primary with relay and worker running, over json-only',
        { relation: '≥', value: 0.7 },
        ratiosOf(rates(measured.jsonPrimary), rates(measured.jsonOnly)),
        figures(measured.jsonPrimary),
      ),
      result(
        'GET by id in json-only, over a bare Fastify route',
        { relation: '≥', value: 0.75 },
        ratiosOf(rates(measured.get), rates(measured.bareGet)),
        `${figures(measured.get)}; bare ${figures(measured.bareGet)}`,
      ),
    ];
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}
