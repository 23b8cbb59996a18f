export type Cell = string | null;

export interface TableColumn {
  readonly name: string;
  /** Numbers stand at the right, so that their digits do. */
  readonly alignRight?: boolean;
}

/** Line breaks and control characters would break the table's lines. */
const visible = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is made visible.
  text.replaceAll(/[\u0000-\u001f\u007f]/g, (character) =>
    String.fromCodePoint(0x2400 + (character === '\u007f' ? 0x21 : character.charCodeAt(0))),
  );

const widthOf = (text: string): number => [...text].length;

/** Lines of an aligned table, as psql draws it; `null` is an empty cell. */
export function textTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
): string[] {
  const shown = rows.map((row) => row.map((cell) => visible(cell ?? '')));
  const widths = columns.map(({ name }, at) =>
    shown.reduce((width, row) => Math.max(width, widthOf(row[at] ?? '')), widthOf(name)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => {
        const space = ' '.repeat((widths[at] ?? 0) - widthOf(cell));
        return columns[at]?.alignRight === true ? ` ${space}${cell} ` : ` ${cell}${space} `;
      })
      .join('|')
      .trimEnd();
  return [
    line(columns.map(({ name }) => name)),
    widths.map((width) => '-'.repeat(width + 2)).join('+'),
    ...shown.map(line),
  ];
}
