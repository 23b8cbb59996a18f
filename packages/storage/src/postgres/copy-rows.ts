//   submit: COPY … FROM STDIN ──> CopyInResponse ──> chunks, CopyDone ──> CommandComplete ──> ready
//                 └── ErrorResponse (also after CopyDone) ──> ready: rejects
import type { Connection, PoolClient, Submittable } from 'pg';
import type { StorableRow } from './record-table.ts';

/** The driver's parts of the COPY protocol, which its types leave out. */
interface CopyConnection extends Connection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** A `COPY … FROM STDIN` with all its data. The driver calls its methods as the server answers. */
class CopyIn implements Submittable {
  readonly done: Promise<void>;
  readonly #statement: string;
  readonly #data: Buffer;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #error: unknown;
  /** The driver wraps it to end its timer; it must be called once all is over. */
  callback = (error: unknown): void => {
    if (error === undefined || error === null) this.#resolve();
    else this.#reject(error);
  };

  constructor(statement: string, data: Buffer) {
    this.#statement = statement;
    this.#data = data;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: Connection): void {
    (connection as CopyConnection).query(this.#statement);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.#data);
    connection.endCopyFrom();
  }

  handleError(error: unknown): void {
    // A server that refuses the data goes on to "ready"; a lost connection does not.
    this.#error = error;
    this.callback(error);
  }

  handleReadyForQuery(): void {
    if (this.#error === undefined) this.callback(undefined);
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
}

/** Characters with a meaning in COPY's text format. */
const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

const escaped = (value: string): string =>
  SPECIAL.test(value) ? value.replace(/[\\\t\n\r]/g, (char) => ESCAPES[char] as string) : value;

/** One line of COPY's text format: id, epoch, version, extra, then the fields. */
function lineOf({ id, epoch, version, extra, values }: StorableRow): string {
  let line = `${id}\t${epoch}\t${version}\t${extra === null ? '\\N' : escaped(extra)}`;
  for (const value of values) line += value === null ? '\t\\N' : `\t${escaped(value)}`;
  return `${line}\n`;
}

/**
 * Inserts rows by COPY, the server's fastest way in; constraints and primary key hold as for INSERT.
 * @param into table and column list in the order of `lineOf`
 * @throws {DatabaseError} as an INSERT
 */
export async function copyRows(
  client: PoolClient,
  into: string,
  given: readonly StorableRow[],
): Promise<void> {
  let text = '';
  for (const row of given) text += lineOf(row);
  const copy = new CopyIn(`COPY ${into} FROM STDIN`, Buffer.from(text));
  client.query(copy);
  await copy.done;
}
