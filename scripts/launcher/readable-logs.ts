import type { Log } from '@tandem/storage/log';
import { prettyFactory } from 'pino-pretty';

/** Where the lines of all processes come together, in the order they arrive. */
export interface LogView {
  /** One line of a service, as it wrote it: a JSON log line, or anything else. */
  line(service: string, text: string): void;
  /** The launcher's own messages. */
  readonly log: Log;
}

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;
const SERVICE_WIDTH = 8;

/**
 * Shows JSON log lines in a form to read, or as they are with `format` "json".
 * @param write takes whole lines, with their line break
 */
export function createLogView(
  write: (text: string) => void,
  { format, colorize }: { format: 'readable' | 'json'; colorize: boolean },
): LogView {
  const pretty = prettyFactory({
    colorize,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,name,process',
  });
  const line = (service: string, text: string) => {
    if (text === '') return;
    if (format === 'json' || !text.startsWith('{')) {
      write(format === 'json' ? `${text}\n` : `${service.padEnd(SERVICE_WIDTH)}${text}\n`);
    } else {
      write(`${service.padEnd(SERVICE_WIDTH)}${pretty(text)}`);
    }
  };
  const say = (level: keyof typeof LEVELS) => (fields: object, msg: string) =>
    line(
      'tandem',
      JSON.stringify({ level: LEVELS[level], time: Date.now(), name: 'tandem', ...fields, msg }),
    );
  return {
    line,
    log: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
  };
}
