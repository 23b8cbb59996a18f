import type { Readable } from 'node:stream';

/**
 * Calls back with the lines that each piece of a stream completes, without their line breaks; at its end
 * also with what had none. Cheaper by far than an event for each line.
 */
export function onWholeLines(stream: Readable, take: (lines: readonly string[]) => void): void {
  let begun = '';
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => {
    const lines = piece.split('\n');
    lines[0] = begun + lines[0];
    begun = lines.pop() as string;
    if (lines.length > 0) take(lines);
  });
  stream.once('end', () => {
    if (begun !== '') take([begun]);
  });
}
