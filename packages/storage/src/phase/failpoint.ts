// Named places between the durable acts of a switch, where a drill may end, stop, slow or fail the
// process that reaches them. Without TANDEM_FAILPOINT they are nothing.
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError } from '../errors.ts';

/** Every failpoint, in the order of its switch; each stands right after what its name says. */
export const FAILPOINTS = [
  // json-only → json-primary and back: one durable act each.
  'dual-write-on.before',
  'dual-write-on.marked',
  'dual-write-off.before',
  'dual-write-off.marked',
  // json-primary → postgres-primary
  'promote.before-difference',
  'promote.before-seal',
  'promote.sealed',
  'promote.carried-over',
  'promote.committing-marked',
  'promote.committed',
  'promote.told',
  'promote.released',
  // postgres-primary → json-primary
  'demote.before-difference',
  'demote.before-seal',
  'demote.sealed',
  'demote.drained',
  'demote.json-committed',
  'demote.postgres-told',
  'demote.before-letting-go',
  // postgres-primary → postgres-only and back
  'json-off.before',
  'json-off.committed',
  'json-off.told',
  'json-on.before',
  'json-on.committed',
  'json-on.told',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** Names the failpoint and what happens there: `<name>:<kill|stop|throw|milliseconds>`. */
export const FAILPOINT_VARIABLE = 'TANDEM_FAILPOINT';

type Deed = 'kill' | 'stop' | 'throw' | { readonly delayMs: number };

interface Armed {
  readonly name: Failpoint;
  readonly deed: Deed;
}

let armed: Armed | undefined;

/**
 * Arms the failpoint that the environment names, for the first time that this process reaches it.
 * Called once, at the start of a process.
 * @throws {TandemError} `configuration` for an unknown name or deed
 */
export function armFailpoint(environment: Readonly<Record<string, string | undefined>>): void {
  const text = environment[FAILPOINT_VARIABLE];
  armed = text === undefined || text === '' ? undefined : parse(text);
}

function parse(text: string): Armed {
  const [name, word = ''] = text.split(':');
  const known = FAILPOINTS.find((failpoint) => failpoint === name);
  const deed = deedOf(word);
  if (known !== undefined && deed !== undefined) return { name: known, deed };
  throw new TandemError(
    'configuration',
    `${FAILPOINT_VARIABLE} is "${text}"; it must be <name>:<kill|stop|throw|milliseconds>, the name one of ${FAILPOINTS.join(', ')}.`,
  );
}

function deedOf(word: string): Deed | undefined {
  if (word === 'kill' || word === 'stop' || word === 'throw') return word;
  return /^\d{1,6}$/.test(word) ? { delayMs: Number(word) } : undefined;
}

/**
 * Does what was armed for this place, once; otherwise nothing.
 * @throws {TandemError} `unavailable` where that is armed
 */
export async function failpoint(name: Failpoint): Promise<void> {
  if (armed?.name !== name) return;
  const { deed } = armed;
  armed = undefined;
  // Whoever waits for this place sees it in the output, also of a process that ends right here.
  writeSync(process.stderr.fd, `Failpoint ${name} reached.\n`);
  if (deed === 'kill') process.kill(process.pid, 'SIGKILL');
  else if (deed === 'stop') process.kill(process.pid, 'SIGSTOP');
  else if (deed === 'throw') throw new TandemError('unavailable', `The failpoint ${name} failed.`);
  else await sleep(deed.delayMs);
}
