import type { Fault } from './fault.ts';

/** Another number of worker processes, for a while. */
export const workers: Fault = async (world, variant, hold) => {
  const wanted = Number(variant);
  world.timeline.note(`workers: ${wanted}`);
  await Promise.all(
    world.workers.map(({ member }, index) =>
      member.exclusive(async () => {
        if (index < wanted) member.start();
        else await member.stop();
      }),
    ),
  );
  await hold();
  await usualWorkers(world);
};

/** One worker, the first. */
export async function usualWorkers({ workers: all }: Parameters<Fault>[0]): Promise<void> {
  const [first, ...others] = all;
  first?.member.start();
  await Promise.all(others.map(({ member }) => member.stop()));
}
