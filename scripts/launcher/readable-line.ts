//   {"level":30,"time":1764000000000,"process":"api","reqId":"…","status":200,"msg":"request"}
//   [18:20:00.123] INFO: request {"reqId":"…","status":200}
//
// A process under load writes thousands of lines a second, nearly all of them of this one form. Reading
// them as JSON only to write them as JSON again costs the launcher more than the requests cost the api.

const START = '{"level":';
const PROCESS = /^,"process":"\w+"/;
/** The sentence is the last member. A quote inside of a string is escaped, so this is no part of one. */
const MESSAGE = ',"msg":"';
/** Members that are shown in another way, or not at all. */
const SPECIAL = /"(?:err|pid|hostname|name|process|msg)":/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are left to who knows them
const PLAIN = /^[^"\\\u0000-\u001f\u007f-\u009f]+$/;

const LEVELS: Readonly<Record<string, { readonly label: string; readonly color: number }>> = {
  20: { label: 'DEBUG', color: 34 },
  30: { label: 'INFO', color: 32 },
  40: { label: 'WARN', color: 33 },
};
const CYAN = 36;
const GREY = 90;
const DEFAULT_COLOR = 39;

const DIGITS = 13;
let second = { atMs: Number.NaN, text: '' };

/** `HH:MM:ss.l`, local time. */
function clockTime(ms: number): string {
  const atMs = ms - (ms % 1_000);
  if (atMs !== second.atMs) {
    const date = new Date(atMs);
    const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
    second = { atMs, text: parts.map((part) => String(part).padStart(2, '0')).join(':') };
  }
  return `${second.text}.${String(ms - atMs).padStart(3, '0')}`;
}

/**
 * A log line of the usual form as pino-pretty would show it, with its line break.
 * @returns `undefined` when it has anything that needs a closer look
 */
export function readableLine(text: string, colorize: boolean): string | undefined {
  const level = LEVELS[text.slice(START.length, START.length + 2)];
  const afterLevel = START.length + 2;
  if (level === undefined || !text.startsWith(START) || !text.startsWith(',"time":', afterLevel)) {
    return undefined;
  }
  const time = afterLevel + ',"time":'.length;
  const ms = Number(text.slice(time, time + DIGITS));
  const message = text.lastIndexOf(MESSAGE);
  if (!Number.isInteger(ms) || message < time + DIGITS || !text.endsWith('"}')) return undefined;
  const sentence = text.slice(message + MESSAGE.length, -2);
  const members = text.slice(time + DIGITS, message).replace(PROCESS, '');
  if (!PLAIN.test(sentence) || SPECIAL.test(members) || members.includes('\\')) return undefined;
  if (members !== '' && !members.startsWith(',"')) return undefined;
  const fields = members === '' ? '' : `{${members.slice(1)}}`;
  const paint = (color: number, part: string): string =>
    colorize ? `\u001b[${color}m${part}\u001b[${DEFAULT_COLOR}m` : part;
  const said = `[${clockTime(ms)}] ${paint(level.color, level.label)}: ${paint(CYAN, sentence)}`;
  return `${said}${fields === '' ? '' : ` ${paint(GREY, fields)}`}\n`;
}
