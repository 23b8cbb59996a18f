import { Readable } from 'node:stream';

/** A piece is handed on when it has grown to this many UTF-16 units. */
const PIECE_LENGTH = 65_536;

/** The pieces of one JSON array of the given texts, without ever being one string. */
async function* pieces(chunks: AsyncIterable<readonly string[]>): AsyncGenerator<string, void> {
  let piece = '[';
  let separator = '';
  for await (const chunk of chunks) {
    for (const text of chunk) {
      piece += separator + text;
      separator = ',';
      if (piece.length >= PIECE_LENGTH) {
        yield piece;
        piece = '';
      }
    }
  }
  yield `${piece}]`;
}

/** The same of texts that are all there: the stream's machinery would cost more than a page of them. */
export async function jsonArrayOf(texts: readonly string[]): Promise<string | Readable> {
  let length = 0;
  for (const text of texts) length += text.length + 1;
  return length < PIECE_LENGTH ? `[${texts.join(',')}]` : jsonArray(Readable.from([texts]));
}

/**
 * A JSON array of JSON texts: as a string when it is short, as a stream otherwise. Its beginning is
 * read before this resolves, so a store that can't begin is an error response, not a broken off body.
 *
 * Destroying the stream (the client went away) ends the iteration of the source.
 */
export async function jsonArray(
  chunks: AsyncIterable<readonly string[]>,
): Promise<string | Readable> {
  const source = pieces(chunks);
  const first = await source.next();
  if (first.done) throw new Error('An array has at least one piece.');
  const second = await source.next();
  if (second.done) return first.value;
  const begun = [first.value, second.value];
  return new Readable({
    read() {
      const piece = begun.shift();
      if (piece !== undefined) {
        this.push(piece);
        return;
      }
      source.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error) => this.destroy(error),
      );
    },
    // Not through a generator of its own: one that was never started would not run its `finally`.
    destroy(error, closed) {
      source.return().then(
        () => closed(error),
        (failure) => closed(error ?? failure),
      );
    },
  });
}
