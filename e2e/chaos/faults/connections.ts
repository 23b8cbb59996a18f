import type { TcpProxy } from '@tandem/storage/testing';
import type { Part, World } from '../world.ts';
import type { Fault } from './fault.ts';

/** Each way, more than a statement takes and less than any deadline. */
const SLOW_MS = 60;

/** What becomes of the connections between one process and PostgreSQL, and what ends it. */
const WAYS: Readonly<Record<string, (proxy: TcpProxy) => () => void>> = {
  cut: (proxy) => {
    proxy.cut();
    return () => {};
  },
  reset: (proxy) => {
    proxy.reset();
    return () => {};
  },
  stall: (proxy) => {
    proxy.stall();
    return () => proxy.resume();
  },
  slow: (proxy) => {
    proxy.slow(SLOW_MS);
    return () => proxy.slow(0);
  },
  refuse: (proxy) => {
    proxy.refuse();
    proxy.cut();
    return () => proxy.accept();
  },
};

/** A variant's first word names the process. */
export function partOf(world: World, variant: string): Part {
  const [who] = variant.split(' ');
  if (who === 'worker') return world.worker();
  const part = world.apis.find(({ name }) => name === who);
  if (part === undefined) throw new Error(`There is no ${who}.`);
  return part;
}

/** Breaks the connections of one process, for a while. */
export const connections: Fault = async (world, variant, hold) => {
  const { member, proxy } = partOf(world, variant);
  const how = variant.split(' ')[1] ?? '';
  world.timeline.note(`connections of ${member.name}: ${how}`);
  const heal = WAYS[how]?.(proxy);
  await hold();
  heal?.();
  world.timeline.note(`connections of ${member.name} flow`);
};
