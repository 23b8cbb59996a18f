import { sentenceOf } from '../errors.ts';
import { isFileError } from './file-system.ts';
import { refusal } from './whole-file.ts';

/** What the place itself is to blame for; a full or failing disk is another matter. */
const OF_THE_PLACE = ['ENOENT', 'ENOTDIR', 'EEXIST', 'EACCES', 'EPERM', 'EROFS', 'ELOOP'];

/** The refusal of a folder that can't hold a store; any other error as it is. */
export function placeRefusal(directory: string, error: unknown): unknown {
  if (!isFileError(error, ...OF_THE_PLACE)) return error;
  return refusal(
    directory,
    `this folder can't hold the JSON store (${sentenceOf(error)}).`,
    'Choose one that this user may write to (JSON_DIR, or DATA_DIR above it).',
  );
}
