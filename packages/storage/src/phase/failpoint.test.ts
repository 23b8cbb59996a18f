import { afterEach, expect, test } from 'vitest';
import { armFailpoint, FAILPOINTS, failpoint } from './failpoint.ts';

afterEach(() => armFailpoint({}));

test('a failpoint that is not armed is nothing', async () => {
  armFailpoint({ TANDEM_FAILPOINT: 'promote.sealed:throw' });
  for (const name of FAILPOINTS) if (name !== 'promote.sealed') await failpoint(name);
});

test('an armed failpoint does its deed the first time it is reached', async () => {
  armFailpoint({ TANDEM_FAILPOINT: 'promote.sealed:throw' });
  await expect(failpoint('promote.sealed')).rejects.toThrow('promote.sealed');
  await failpoint('promote.sealed');
});

test.for(['promote.seald:kill', 'promote.sealed', 'promote.sealed:1s', ':kill'])(
  'an environment that names no failpoint and deed is refused: %s',
  (text) => {
    expect(() => armFailpoint({ TANDEM_FAILPOINT: text })).toThrow(/TANDEM_FAILPOINT is "/);
  },
);
