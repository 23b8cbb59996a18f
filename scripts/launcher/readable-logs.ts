import type { Log } from '@tandem/storage/log';
import { prettyFactory } from 'pino-pretty';
import { readableLine } from './readable-line.ts';

/** Where the lines of all processes come together, in the order they arrive. */
export interface LogView {
  /** Lines of a service, as it wrote them: JSON log lines, or anything else. */
  lines(service: string, texts: readonly string[]): void;
  /** The launcher's own messages. */
  readonly log: Log;
}

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;
const SERVICE_WIDTH = 8;

/** How pino-pretty shows what {@link readableLine} leaves to it. */
export const PRETTY = {
  singleLine: true,
  translateTime: 'SYS:HH:MM:ss.l',
  ignore: 'pid,hostname,name,process',
};

/**
 * Shows JSON log lines in a form to read, or as they are with `format` "json".
 * @param write takes whole lines, with their line breaks
 * @param debug whether the launcher's own messages of that level are shown; a service leaves its out by itself
 */
export function createLogView(
  write: (text: string) => void,
  {
    format,
    colorize,
    debug = false,
  }: { format: 'readable' | 'json'; colorize: boolean; debug?: boolean },
): LogView {
  const pretty = prettyFactory({ colorize, ...PRETTY });
  const shown = (text: string): string => {
    if (!text.startsWith('{')) return `${text}\n`;
    return readableLine(text, colorize) ?? pretty(text);
  };
  const lines = (service: string, texts: readonly string[]) => {
    const start = format === 'json' ? '' : service.padEnd(SERVICE_WIDTH);
    let output = '';
    for (const text of texts) {
      if (text !== '') output += start + (format === 'json' ? `${text}\n` : shown(text));
    }
    if (output !== '') write(output);
  };
  const say = (level: keyof typeof LEVELS) => (fields: object, msg: string) =>
    lines('tandem', [
      JSON.stringify({ level: LEVELS[level], time: Date.now(), name: 'tandem', ...fields, msg }),
    ]);
  return {
    lines,
    log: {
      debug: debug ? say('debug') : () => undefined,
      info: say('info'),
      warn: say('warn'),
      error: say('error'),
    },
  };
}
