import { expect, test } from 'vitest';
import { createLogView } from './readable-logs.ts';

test.each([false, true])(
  'what is only for debugging is shown when it is asked for (%s)',
  (debug) => {
    let shown = '';
    const view = createLogView((text) => (shown += text), {
      format: 'readable',
      colorize: false,
      debug,
    });
    view.log.debug({}, 'It is tried again.');
    view.log.info({}, 'It runs again.');
    expect(shown.includes('It is tried again.')).toBe(debug);
    expect(shown).toContain('It runs again.');
  },
);
