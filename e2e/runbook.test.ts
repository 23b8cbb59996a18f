import { test } from 'vitest';
import { follow } from './pages/follow.ts';

test('I12: the runbook’s commands do what it says: a backup and a restore of each store, among others', async () => {
  await follow('docs/runbook.md');
}, 600_000);
