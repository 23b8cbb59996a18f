import { FLAG_NAMES, type LiveProcess, nameOf, troublesOf } from '@tandem/storage/phase';
import { textTable } from './text-table.ts';

/** Every process that runs, with what it believes and why. */
export const processesAsText = (processes: readonly LiveProcess[]): string[] =>
  textTable(
    [
      ...[{ name: 'process' }, { name: 'phase' }, { name: 'epoch', alignRight: true }],
      ...[{ name: 'desired' }, ...FLAG_NAMES.map((name) => ({ name })), { name: 'state' }],
    ],
    processes.map((process) => [
      ...[nameOf(process), process.effective ?? 'unknown'],
      ...[process.epoch === null ? 'unknown' : String(process.epoch), process.desired],
      ...FLAG_NAMES.map((name) => {
        const { value, source } = process.flags[name];
        return `${value} (${source})`;
      }),
      stateOf(process),
    ]),
  );

function stateOf(process: LiveProcess): string {
  const { ready, waitingFor } = process;
  const state = ready ? 'ready' : 'not ready';
  // The sentence stands under the tables.
  if (troublesOf([process]).length > 0) return `${state}, degraded`;
  return waitingFor === null ? state : `${state}; waiting for ${waitingFor}`;
}
