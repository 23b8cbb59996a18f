import { inJson, type Mutant } from './mutant.ts';

const CORRUPTION = ['corruption-sweep'];
const GUARD = ['packages/storage/src/changes/guard.test.ts'];
const PHASE_FENCE = ['packages/storage/src/postgres/write-batch.test.ts'];

const inGuard = (name: string, find: string, replace: string): Mutant => ({
  ...{ name: `guard: ${name}`, file: 'packages/storage/src/changes/guard.ts', find, replace },
  tests: GUARD,
});

const inPostgres = (name: string, file: string, find: string, replace: string): Mutant => ({
  ...{ name: `PostgreSQL: ${name}`, file: `packages/storage/src/postgres/${file}.ts` },
  ...{ find, replace, tests: PHASE_FENCE, needsPostgres: true },
});

/** Each check of an epoch, a version, a checksum and a commit line, taken away. */
export const CHECK_MUTANTS: readonly Mutant[] = [
  inJson(
    'lines: the checksum is not checked',
    'line-codec',
    'if (checksum !== stored) return',
    'if (false) return',
    CORRUPTION,
  ),
  inJson(
    'manifest: the checksum is not checked',
    'manifest',
    'body.format !== FORMAT || checksum !== checksumOf(body)',
    'body.format !== FORMAT',
    CORRUPTION,
  ),
  inJson(
    'journal: a batch without its commit line counts',
    'segment-scan',
    '  if (items.length === 0) return { position };\n',
    '  if (items.length > 0) visit(items);\n  if (items.length >= 0) return { position };\n',
    ['recovery', 'crash-sweep'],
  ),
  inJson(
    'journal: reserved room counts as part of a torn batch',
    'recovery',
    'const bytes = withoutRoom(',
    'const bytes = Buffer.from(',
    ['journal-room'],
  ),
  inJson(
    'journal: any zero byte behind the lines is taken for reserved room',
    'line-codec',
    '&& (await isRoomUpTo(file, offset, stop))',
    '',
    ['journal-room'],
  ),
  inJson(
    'journal: the commit line is not compared with its lines',
    'segment-scan',
    'payload.count !== items.length',
    'payload.count < 0',
    ['segment-scan'],
  ),
  inJson(
    'journal: the batch of a line is not checked',
    'segment-scan',
    'if (payload.batch !== batch) {',
    'if (payload.batch < 0) {',
    ['segment-scan'],
  ),
  inJson(
    'journal: the outbox numbers are not checked',
    'segment-scan',
    'if (payload.seq !== seq) {',
    'if (payload.seq < 0) {',
    ['segment-scan'],
  ),
  inJson(
    'journal: a segment may end before its mark',
    'recovery',
    '  if (whole) return { headerEnd',
    '  if (true) return { headerEnd',
    CORRUPTION,
  ),
  inJson(
    'journal: a later batch proves nothing',
    'recovery',
    'if (later !== undefined) {',
    'if (later === -1) {',
    ['torn-tail'],
  ),
  inJson(
    'journal: a damaged last batch counts as torn',
    'recovery',
    'if (damage !== undefined) {',
    "if (damage === '') {",
    CORRUPTION,
  ),
  inJson(
    'journal: no durable mark after a pause',
    'json-store',
    '        this.#idleMark.touched();\n',
    '',
    ['idle-mark'],
  ),
  inJson(
    'state file: its end is not missed',
    'state-file',
    "if (!ended) throw damaged(end.offset, 'its end is missing.');",
    '',
    CORRUPTION,
  ),
  inJson(
    'commit loop: a failed sync is not noticed',
    'commit-loop',
    '    if (failed !== undefined) {\n',
    '    if (failed === null) {\n',
    ['commit-loop'],
  ),
  inJson(
    'batch: what the batch below changed is not seen',
    'batch',
    '    this.#below = below;\n',
    '',
    ['commit-loop'],
  ),
  inJson(
    'JSON store: writes while sealed',
    'stage',
    "primaryOf(phase) === 'json' && !sealed && committing === null",
    "primaryOf(phase) === 'json' && committing === null",
    ['crash-sweep'],
  ),
  inJson(
    'JSON store: writes while a switch is being committed',
    'stage',
    "primaryOf(phase) === 'json' && !sealed && committing === null",
    "primaryOf(phase) === 'json' && !sealed",
    ['crash-sweep'],
  ),
  inJson(
    'JSON store: writes as secondary',
    'stage',
    "primaryOf(phase) === 'json' && !sealed && committing === null",
    '!sealed && committing === null',
    ['crash-sweep'],
  ),
  inJson(
    'JSON store: nothing goes into the outbox',
    'batch',
    "as === 'primary' && this.#phase.phase === 'json-primary'",
    "as === 'primary' && this.#phase.phase === 'postgres-only'",
    ['crash-sweep'],
  ),
  inGuard(
    'the same stamp with other content',
    "if (order === 0) return incoming.record === stored.text ? 'no-op' : 'conflict';",
    "if (order === 0) return 'no-op';",
  ),
  inGuard('an older stamp', "if (order < 0) return 'no-op';", ''),
  inGuard(
    'as many changes in an older epoch',
    "if (stored.version >= incoming.version) return 'fork';",
    '',
  ),
  inGuard(
    'a base that the stored state is beyond',
    'if (incoming.base === null || compareStamps(stored, incoming.base) > 0)',
    'if (incoming.base === null)',
  ),
  inGuard(
    'a creation over a stored state',
    'if (incoming.base === null || compareStamps(stored, incoming.base) > 0)',
    'if (incoming.base !== null && compareStamps(stored, incoming.base) > 0)',
  ),
  {
    name: 'stamps: the epoch is not compared',
    file: 'packages/storage/src/changes/stamp.ts',
    find: 'a.epoch - b.epoch || a.version - b.version',
    replace: 'a.version - b.version',
    tests: GUARD,
  },
  {
    name: 'stamps: the version is not compared',
    file: 'packages/storage/src/changes/stamp.ts',
    find: 'a.epoch - b.epoch || a.version - b.version',
    replace: 'a.epoch - b.epoch',
    tests: GUARD,
  },
  inPostgres(
    'writes as secondary',
    'write-batch',
    "primaryOf(phase) === 'postgres' && !sealed",
    '!sealed',
  ),
  inPostgres(
    'writes while sealed',
    'write-batch',
    "primaryOf(phase) === 'postgres' && !sealed",
    "primaryOf(phase) === 'postgres'",
  ),
  inPostgres(
    'a write does not hold the switch lock',
    'write-batch',
    'const BEGIN = [boundsStatement(), shared(SWITCH_LOCK), READ_PHASE];',
    'const BEGIN = [boundsStatement(), READ_PHASE];',
  ),
  inPostgres(
    'the phase moves beside writes',
    'phase-row',
    'const begin = [boundsStatement(), exclusive(SWITCH_LOCK), READ_PHASE];',
    'const begin = [boundsStatement(), READ_PHASE];',
  ),
  inPostgres(
    'the expected epoch is not compared',
    'phase-row',
    'if (current.epoch !== expectedEpoch) return false;',
    '',
  ),
];
