import { test } from 'vitest';
import { follow } from './pages/follow.ts';

test('I6: the transition guide leads from legacy files to Phase 5 and back, as it says', async () => {
  await follow('docs/transition-guide.md');
}, 400_000);
