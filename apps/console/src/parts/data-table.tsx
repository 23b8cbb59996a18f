import type { ComponentChildren } from 'preact';
import { TableFrame } from './table-frame.tsx';

export interface TableColumn<Row> {
  readonly name: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
  /** The name is for screen readers alone, e.g. of a column of buttons. */
  readonly isNameHidden?: boolean;
}

export interface Selection<Key> {
  readonly keys: ReadonlySet<Key>;
  readonly change: (keys: ReadonlySet<Key>) => void;
  /** What a row's box selects, for who can't see the row. */
  readonly nameOf: (key: Key) => string;
}

/**
 * A table that scrolls sideways by itself where there is no room. With a selection each row has a box,
 * and the head one for all that are shown.
 */
export function DataTable<Row, Key extends string | number>({
  caption,
  columns,
  rows,
  keyOf,
  selection,
  isCurrent,
}: {
  /** What it lists; read out, not shown: the heading above it says it. */
  caption: string;
  columns: readonly TableColumn<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => Key;
  selection?: Selection<Key>;
  /** The row whose detail is open. */
  isCurrent?: (row: Row) => boolean;
}) {
  const keys = rows.map(keyOf);
  return (
    <TableFrame caption={caption}>
      <table>
        <caption class="only-read">{caption}</caption>
        <thead>
          <tr>
            {selection !== undefined && (
              <th scope="col" class="box">
                <AllBox keys={keys} selection={selection} />
              </th>
            )}
            {columns.map(({ name, isNumber, isNameHidden }) => (
              <th key={name} scope="col" class={isNumber ? 'number' : undefined}>
                <span class={isNameHidden ? 'only-read' : undefined}>{name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={keys[index]} aria-current={isCurrent?.(row) ? 'true' : undefined}>
              {selection !== undefined && (
                <td class="box">
                  <RowBox row={keys[index] as Key} selection={selection} />
                </td>
              )}
              {columns.map(({ name, cell, isNumber }) => (
                <td key={name} class={isNumber ? 'number' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function RowBox<Key extends string | number>({
  row,
  selection: { keys, change, nameOf },
}: {
  row: Key;
  selection: Selection<Key>;
}) {
  const toggled = () => {
    const next = new Set(keys);
    if (!next.delete(row)) next.add(row);
    change(next);
  };
  return (
    <input
      type="checkbox"
      checked={keys.has(row)}
      onChange={toggled}
      aria-label={`Select ${nameOf(row)}`}
    />
  );
}

function AllBox<Key extends string | number>({
  keys: shown,
  selection: { keys, change },
}: {
  keys: readonly Key[];
  selection: Selection<Key>;
}) {
  const isAll = shown.length > 0 && shown.every((key) => keys.has(key));
  const isSome = !isAll && shown.some((key) => keys.has(key));
  const toggled = () => {
    const next = new Set(keys);
    for (const key of shown) {
      if (isAll) next.delete(key);
      else next.add(key);
    }
    change(next);
  };
  return (
    <input
      type="checkbox"
      checked={isAll}
      ref={(box: HTMLInputElement | null) => {
        if (box !== null) box.indeterminate = isSome;
      }}
      onChange={toggled}
      aria-label="Select all that are shown"
    />
  );
}
