import { describeReadiness } from '@tandem/storage/consistency';
import { catchUpsAsText } from './backfill-command.ts';
import { flagsAsText } from './phase-text.ts';
import { processesAsText } from './processes-text.ts';
import type { Status } from './status.ts';
import { textTable } from './text-table.ts';

const known = (value: string | number | boolean | null): string =>
  value === null ? 'unknown' : String(value);

/** The status for a person. */
export function statusAsText(status: Status): string {
  const { json, postgres, flags, queues, processes, problems } = status;
  const empty = json.archived === null ? 'not open' : `archived ${json.archived.at}`;
  const open =
    json.holder === null ? empty : `open in ${json.holder.processName} (pid ${json.holder.pid})`;
  const lines = [
    `Phase         ${known(status.effective)}${status.desired === status.effective ? '' : `, desired ${status.desired}`} (epoch ${known(status.epoch)})`,
    `Backlog       ${known(status.backlog)}`,
    `Dead letters  ${known(status.deadLetters)}`,
    ...catchUpsAsText(status.catchUps),
    ...trustLines(status),
    '',
    ...flagsAsText(flags),
    '',
    ...textTable(
      [
        { name: 'store' },
        { name: 'phase' },
        { name: 'epoch', alignRight: true },
        { name: 'state' },
      ],
      [
        ['json', known(json.phase), known(json.epoch), `${open}, ${json.directory}`],
        [
          'postgres',
          known(postgres.phase),
          known(postgres.epoch),
          postgres.reachable ? 'reachable' : 'not reachable',
        ],
      ],
    ),
  ];
  if (queues !== null) {
    lines.push(
      '',
      ...textTable(
        ['queue', 'waiting', 'active', 'oldest', 'dead letters'].map((name, at) => ({
          name,
          alignRight: at > 0,
        })),
        Object.entries(queues).map(([name, queue]) => [
          name,
          String(queue.waiting),
          String(queue.active),
          ageAsText(status.queueAges?.[name] ?? null),
          String(queue.deadLetters),
        ]),
      ),
    );
  }
  if (processes !== null && processes.length > 0) lines.push('', ...processesAsText(processes));
  if (status.metrics.length > 0) {
    lines.push('', `Metrics       ${status.metrics.join(', ')} (with the operators' token)`);
  }
  if (problems.length > 0) lines.push('', ...problems);
  return lines.join('\n');
}

const ageAsText = (seconds: number | null): string =>
  seconds === null ? '-' : `${Math.round(seconds)} s`;

/** How far the stores can be trusted to agree. */
function trustLines({ verify, divergences }: Status): string[] {
  if (divergences === null) return [];
  const open = divergences.reduce((sum, one) => sum + one.open, 0);
  const last =
    verify === null
      ? 'never'
      : `${verify.outcome}, ${verify.finishedAt} (verify ${verify.id}, ${verify.mode})`;
  const readiness = verify?.lastReadiness ?? null;
  return [
    `Divergences   ${open} open`,
    `Verify        ${last}`,
    `Rollback      ${readiness === null ? 'readiness not known yet' : `readiness ${describeReadiness(readiness)}`}`,
  ];
}
