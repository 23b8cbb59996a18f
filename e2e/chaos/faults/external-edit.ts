// While no api runs in a JSON phase somebody edits `expenses.json`: at the start the edit becomes
// changes like any other (ADOPT_EXTERNAL_EDITS). What was edited is part of the history.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectJsonStore } from '@tandem/storage/json';
import { primaryOf } from '@tandem/storage/phase';
import { DATE } from '../attempt.ts';
import type { Call, Expense } from '../history.ts';
import { waitFor } from '../waiting.ts';
import type { World } from '../world.ts';
import type { Fault } from './fault.ts';

const ADOPTED_TIMEOUT_MS = 20_000;
const POSSIBLE_TIMEOUT_MS = 4_000;

let count = 0;

export const externalEdit: Fault = (world, variant) =>
  world.apis.reduceRight<() => Promise<void>>(
    (work, { member }) =>
      () =>
        member.exclusive(work),
    () => stopAndEdit(world, variant),
  )();

/** All of them: another would take the store over, and adopt nothing. */
async function stopAndEdit(world: World, variant: string): Promise<void> {
  const isPossible = await waitFor('JSON as the primary', POSSIBLE_TIMEOUT_MS, async () => {
    const effective = (await world.readiness())?.phase?.effective;
    return effective !== undefined && primaryOf(effective) === 'json';
  }).then(
    () => true,
    () => false,
  );
  if (!isPossible) {
    world.timeline.note('no edit: JSON is not the primary');
    return;
  }
  const statuses = await Promise.all(world.apis.map(({ member }) => member.stop()));
  try {
    // The phase may have moved on while they stopped.
    const { phase, holder } = await inspectJsonStore(world.jsonDir);
    const isJson = phase !== undefined && primaryOf(phase.phase) === 'json';
    const isClean = statuses.every((status) => status === 0);
    if (isClean && isJson && holder === undefined) await editAndStart(world, variant);
    else world.timeline.note(`no edit: ended with ${statuses.join(' and ')}, or the phase moved`);
  } finally {
    start(world);
  }
}

function start({ apis }: World): void {
  for (const { member } of apis) member.start();
}

async function editAndStart(world: World, variant: string): Promise<void> {
  const file = join(world.jsonDir, 'expenses.json');
  const records: Expense[] = JSON.parse(readFileSync(file, 'utf8'));
  const hot = records.filter(({ id }) => world.hot.has(id));
  const target = hot[0];
  if (target === undefined) return;
  count += 1;
  const text = `edited-${count}-${target.id}`;
  const { call, edited } = editOf(variant, records, target, text);
  const startMs = performance.now();
  if (!replaced(file, edited)) {
    world.timeline.note('no edit: the disk is full');
    return;
  }
  world.timeline.note(`edited by hand: ${JSON.stringify(call)}`);
  start(world);
  const isServed = async () => (await world.readiness()) !== undefined;
  // It is adopted before anything is served, also when the phase moves right after the opening.
  const isAdopted = await waitFor('Serving', ADOPTED_TIMEOUT_MS, isServed).then(
    () => true,
    () => false,
  );
  // Of an added record nobody is told the id: it is found by its text.
  const isKnown = isAdopted && call.kind !== 'create';
  world.history.add({
    ...{ client: 'editor', call, startMs, attempts: 1, told: isKnown ? 'adopted' : 'not known' },
    ...(isKnown && call.kind === 'update' ? { record: { ...target, ...call.set } } : {}),
    outcome: isKnown ? 'ok' : 'unknown',
    endMs: isKnown ? performance.now() : Number.POSITIVE_INFINITY,
  });
}

function editOf(
  variant: string,
  records: readonly Expense[],
  target: Expense,
  text: string,
): { readonly call: Call; readonly edited: readonly object[] } {
  const { id } = target;
  switch (variant) {
    case 'change': {
      const set = { notes: text };
      const edited = records.map((one) => (one.id === id ? { ...one, ...set } : one));
      return { call: { kind: 'update', id, set }, edited };
    }
    case 'remove':
      return {
        call: { kind: 'delete', id },
        edited: records.filter((one) => one.id !== id),
      };
    case 'add': {
      const fields = { category: 'Food', account: 'Cash', currency: '₪', amount: 1 };
      const set = { ...fields, business: text, notes: text };
      return { call: { kind: 'create', set }, edited: [...records, { date: DATE, ...set }] };
    }
    default:
      throw new Error(`Nobody knows how to edit by "${variant}".`);
  }
}

/** In one step, as editors do: the file parses at every moment. @returns false without room */
function replaced(file: string, records: readonly object[]): boolean {
  const draft = `${file}.edited`;
  try {
    writeFileSync(draft, JSON.stringify(records, undefined, 2));
    renameSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    rmSync(draft, { force: true });
    return false;
  }
}
