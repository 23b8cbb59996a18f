import type { TandemError } from '../errors.ts';
import type { OpenContext } from './open-context.ts';
import { refusal } from './whole-file.ts';

/**
 * The refusal of a checkpoint file that is a symbolic link; `undefined` when it is none. A checkpoint is
 * renamed over its file: a link would become a plain file, and whoever reads what it pointed to would
 * see the last content for ever. Nor does this folder's lock keep another store from that file, or this
 * folder's sync make a rename in another one durable.
 */
export async function linkRefusal(
  { fileSystem }: Pick<OpenContext, 'fileSystem'>,
  path: string,
): Promise<TandemError | undefined> {
  if (!(await fileSystem.isLink(path))) return undefined;
  return refusal(
    path,
    'it is a symbolic link, and a checkpoint replaces the file itself.',
    'Set JSON_DIR to the folder that the link leads to, or put the file in the place of the link.',
  );
}

/** @throws {TandemError} `refused-to-open` naming the first checkpoint file that is a symbolic link */
export async function refuseLinks(context: OpenContext): Promise<void> {
  for (const { file } of context.collections) {
    const linked = await linkRefusal(context, context.layout.checkpointFile(file));
    if (linked !== undefined) throw linked;
  }
}
