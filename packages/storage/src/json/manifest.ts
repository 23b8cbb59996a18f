import { crc32 } from 'node:zlib';
import type { JsonPhaseState } from '../phase/index.ts';
import type { FileSystem } from './file-system.ts';
import { offsetOfSyntaxError } from './json-position.ts';
import type { Layout } from './layout.ts';
import { readWhole, refusal, replaceFile } from './whole-file.ts';

export const FORMAT = 1;

/**
 * How far a journal segment was known to be durable. For all but the last segment that is all of it:
 * bytes beyond `length` do not count.
 */
export interface SegmentMark {
  readonly number: number;
  readonly length: number;
  /** Checksum of the last line before `length`; the next line is chained to it. */
  readonly checksum: number;
  /** Last batch before `length`, counted over all segments. */
  readonly batch: number;
  /** Last outbox `seq` before `length`, counted over all segments. */
  readonly seq: number;
  /** What the segment began after. */
  readonly start: { readonly batch: number; readonly seq: number };
}

/** SHA-256 of a checkpoint file as this store knows it; `null`: it knows of none. */
export type FileHashes = Readonly<Record<string, string | null>>;

/** The one small file that says what the others mean. Always replaced whole. */
export interface Manifest {
  readonly format: typeof FORMAT;
  /** Stands in every segment and state file of this store; never changes (the pair id may). */
  readonly storeId: string;
  readonly phase: JsonPhaseState;
  /** The state file in force, the first segment whose changes it lacks, and the last batch it has. */
  readonly checkpoint: {
    readonly number: number;
    readonly replayFrom: number;
    readonly batch: number;
  };
  /** Hashes by collection name. */
  readonly files: FileHashes;
  /** A checkpoint whose files are being renamed into place: each is the old or the new one. */
  readonly pending: { readonly number: number; readonly files: FileHashes } | null;
  /** In order, the last one is written to. Those before `replayFrom` are kept for the outbox only. */
  readonly segments: readonly SegmentMark[];
  /** `dropped`: the last `seq` whose item is gone. `relayed`: the last known to be in the queue. */
  readonly outbox: { readonly dropped: number; readonly relayed: number };
  /** Records not yet in the checkpoint files although no journal holds them (adoption). */
  readonly filesBehind: boolean;
}

/** The phase state with the *catch-up needed since* mark, the oldest one if there are two. */
export const catchUp = (
  phase: JsonPhaseState,
  { now }: { readonly now: () => number },
): JsonPhaseState => ({
  ...phase,
  catchUpSince: phase.catchUpSince ?? new Date(now()).toISOString(),
});

const checksumOf = (body: object): number => crc32(JSON.stringify(body));

const encodeManifest = (manifest: Manifest): Buffer =>
  Buffer.from(`${JSON.stringify({ ...manifest, checksum: checksumOf(manifest) }, undefined, 2)}\n`);

export const writeManifest = (
  fileSystem: FileSystem,
  layout: Layout,
  manifest: Manifest,
): Promise<void> => replaceFile(fileSystem, layout.manifest, encodeManifest(manifest));

/**
 * The manifest, or `undefined` when the directory is no store yet.
 * @throws {TandemError} `refused-to-open` when it is damaged or of a newer version
 */
export async function readManifest(
  fileSystem: FileSystem,
  layout: Layout,
): Promise<Manifest | undefined> {
  const bytes = await readWhole(fileSystem, layout.manifest);
  if (bytes === undefined) return undefined;
  const { checksum, ...body } = parse(bytes, layout.manifest);
  if (typeof body.format === 'number' && body.format > FORMAT) {
    throw newerFormat(layout.manifest, body.format);
  }
  if (body.format !== FORMAT || checksum !== checksumOf(body)) {
    throw damaged(layout.manifest, 'its checksum does not fit its content.');
  }
  return body as unknown as Manifest;
}

export const newerFormat = (file: string, format: number) =>
  refusal(
    file,
    `it was written in format ${format}; this version reads format ${FORMAT}.`,
    'Start the newer version of Tandem that wrote it.',
    { offset: 0 },
  );

/** @param offset where it is damaged; 0, its beginning, where that can't be told */
const damaged = (file: string, reason: string, offset = 0) =>
  refusal(
    file,
    reason,
    'Restore this folder from a backup; or, to start over from the checkpoint files alone, move the whole .tandem folder away (what was written after the last checkpoint is then only in there).',
    { offset },
  );

function parse(bytes: Buffer, file: string): Record<string, unknown> {
  const text = bytes.toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const offset = Buffer.byteLength(text.slice(0, offsetOfSyntaxError(text)));
  throw damaged(file, 'it is not whole JSON.', offset);
}
