import { join } from 'node:path';

//   JSON_DIR/expenses.json, incomes.json      checkpoint files, legacy fields only
//   JSON_DIR/.tandem/manifest.json            phase, marks, hashes; replaced whole
//                    state-00000007.log       every record with its stamp, tombstones, keys
//                    journal-00000012.log     segments; the last one is appended to
//                    lock                     kernel lock; names its holder
//                    handover/request         who asks the holder to let go
//                    handover/checkpoint-request, checkpoint-answer, edit-request, edit-answer
//                    adopted/                 the legacy files as they were found
//                    external-edits/          foreign edits, kept aside
//                    torn-<instant>.log       what a crash left behind the last whole batch

/** Where everything of one JSON store lies. */
export interface Layout {
  readonly directory: string;
  readonly tandem: string;
  readonly manifest: string;
  readonly lock: string;
  readonly handover: string;
  readonly handoverRequest: string;
  readonly checkpointRequest: string;
  readonly checkpointAnswer: string;
  readonly editRequest: string;
  readonly editAnswer: string;
  readonly adopted: string;
  readonly externalEdits: string;
  /** While an archive is written: what goes into it as its own manifest. */
  readonly archiveManifest: string;
  /** While an archive is written: the names that it has beside itself, should the run be killed. */
  readonly archiving: string;
  /** Written and removed to see whether a full disk has room again. */
  readonly probe: string;
  checkpointFile(file: string): string;
  /** Where checkpoint `number` writes a file before it is renamed into place. */
  draft(file: string, number: number): string;
  state(number: number): string;
  segment(number: number): string;
  torn(instant: string, segment: number): string;
}

const padded = (number: number): string => String(number).padStart(8, '0');

/** An ISO instant that can stand in a file name. */
export const fileInstant = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replaceAll(':', '-');

export function layoutOf(directory: string): Layout {
  const tandem = join(directory, '.tandem');
  return {
    directory,
    tandem,
    manifest: join(tandem, 'manifest.json'),
    lock: join(tandem, 'lock'),
    handover: join(tandem, 'handover'),
    handoverRequest: join(tandem, 'handover', 'request'),
    checkpointRequest: join(tandem, 'handover', 'checkpoint-request'),
    checkpointAnswer: join(tandem, 'handover', 'checkpoint-answer'),
    editRequest: join(tandem, 'handover', 'edit-request'),
    editAnswer: join(tandem, 'handover', 'edit-answer'),
    adopted: join(tandem, 'adopted'),
    externalEdits: join(tandem, 'external-edits'),
    archiveManifest: join(tandem, 'archive-manifest.json'),
    archiving: join(tandem, 'archiving.json'),
    probe: join(tandem, 'room-probe'),
    checkpointFile: (file) => join(directory, file),
    draft: (file, number) => join(tandem, `draft-${padded(number)}-${file}`),
    state: (number) => join(tandem, `state-${padded(number)}.log`),
    segment: (number) => join(tandem, `journal-${padded(number)}.log`),
    torn: (instant, segment) => join(tandem, `torn-${instant}-journal-${padded(segment)}.log`),
  };
}

/** Files of `.tandem` that a checkpoint, recovery, archiving or probe makes, and removes when nothing names them. */
export const OWN_FILE =
  /^(?:(?:state|journal)-\d+\.log|draft-\d+-.*|room-probe|archive-manifest\.json)$/;
