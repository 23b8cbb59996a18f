// npm run demo [-- --fast] [--picture FILE]: a migration as one week, told on the terminal, the console open
// beside it. It is the transition guide on an installation of its own, which is gone afterwards. Ctrl-C ends
// it. With --picture the console is drawn as it is on Friday evening; that needs Chromium.
import { parseArgs } from 'node:util';
import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import { withInstallation } from './demo/installation.ts';
import { legacyRecords, liveAWeek, PACES } from './demo/week.ts';

const { values } = parseArgs({
  options: { fast: { type: 'boolean', default: false }, picture: { type: 'string' } },
});
const pace = values.fast ? PACES.fast : PACES.slow;
const ended = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => ended.abort(new Error('The demo was ended.')));
}
const say = (text: string) => console.log(text);

try {
  say('A week in minutes: from JSON files to PostgreSQL, with clients at work all the time.');
  say('PostgreSQL, the api and the worker are started …');
  await withInstallation(legacyRecords(pace), ended.signal, async (installation) => {
    const { origin, operatorToken } = installation;
    // Where nobody reads along nobody needs the token, and whatever keeps the output must not have it.
    const key = process.stdout.isTTY === true ? `#token=${operatorToken}` : '';
    say(`\n  Console  ${origin}/console${key}\n  API      ${origin}/api/v1/expense`);
    const onFriday = async () => {
      if (values.picture === undefined) return;
      const { drawConsole } = await import('./demo/picture.ts');
      await drawConsole(installation, values.picture);
    };
    const { signal } = ended;
    const { sentence, isGood } = await liveAWeek(installation, pace, say, { signal, onFriday });
    say(sentence);
    if (!isGood) process.exitCode = 1;
  });
  say(
    '\nEverything is stopped, and nothing is left of it. docs/transition-guide.md is the same with your own files.',
  );
} catch (error) {
  if (!ended.signal.aborted) {
    console.error(isTandemError(error) ? error.message : sentenceOf(error));
    process.exitCode = 1;
  } else say('\nEnded; everything is stopped, and nothing is left of it.');
}
