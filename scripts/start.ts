// npm start: the embedded PostgreSQL if no other is named, the api and the worker, until Ctrl-C.
//
// LOG_FORMAT=json leaves the log lines as they are. Exit status: 0 after a clean stop, 78 for a
// configuration that can't work, 75 when something that is needed is away, 1 for anything else; the
// last line on standard error says why.
import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import { buildConsole } from './console/build-console.ts';
import { launch } from './launcher/launch.ts';
import { createLogView } from './launcher/readable-logs.ts';
import { EXIT_CONFIGURATION } from './launcher/service.ts';
import { listenForStop } from './launcher/stop-signals.ts';

const START_ERRORS = ['configuration', 'lock-held'];

const signals = listenForStop();
const print = (text: string) => void process.stdout.write(text);
// Who reads our output is gone: nothing more can be shown, but all must still be stopped in order.
process.stdout.on('error', () => signals.request('output closed'));

const json = process.env.LOG_FORMAT === 'json';
const view = createLogView(print, {
  format: json ? 'json' : 'readable',
  colorize: process.stdout.isTTY === true,
  debug: ['debug', 'trace'].includes(process.env.LOG_LEVEL ?? ''),
});
try {
  // The service needs no console: without one it is started all the same.
  await buildConsole().catch((error: unknown) => {
    view.log.warn({ error: sentenceOf(error) }, `No console: ${sentenceOf(error)}`);
  });
  const { exitCode, sentence } = await launch({
    environment: process.env,
    view,
    signals,
    isTerminal: process.stdout.isTTY === true && !json,
    print: json ? (text) => view.log.info({}, text.trim().replaceAll(/\s*\n\s*/g, '; ')) : print,
  });
  if (sentence !== undefined) console.error(sentence);
  process.exitCode = exitCode;
} catch (error) {
  console.error(sentenceOf(error));
  const refused = isTandemError(error) && START_ERRORS.includes(error.code);
  process.exitCode = refused ? EXIT_CONFIGURATION : 1;
}
