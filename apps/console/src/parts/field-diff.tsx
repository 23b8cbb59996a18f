import { TableFrame } from './table-frame.tsx';

/** A field of a record as two stores have it; JSON texts, `null`: there is none. */
export interface FieldPair {
  readonly name: string;
  readonly left: string | null;
  readonly right: string | null;
  /** `null`: can't be told. */
  readonly differs: boolean | null;
}

/** Two versions of one record, field by field; what differs is marked by colour, sign and word. */
export function FieldDiff({
  caption,
  left,
  right,
  fields,
}: {
  caption: string;
  /** What the sides are, e.g. `JSON` and `PostgreSQL`. */
  left: string;
  right: string;
  fields: readonly FieldPair[];
}) {
  return (
    <TableFrame caption={caption}>
      <table class="field-diff">
        <caption class="only-read">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">{left}</th>
            <th scope="col">
              <span class="only-read">Same?</span>
            </th>
            <th scope="col">{right}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.name} class={field.differs === true ? 'differs' : undefined}>
              <th scope="row">{field.name}</th>
              <td>
                <Side text={field.left} />
              </td>
              <td class="sign">{signOf(field.differs)}</td>
              <td>
                <Side text={field.right} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

const Side = ({ text }: { text: string | null }) =>
  text === null ? <span class="quiet">none</span> : <code>{text}</code>;

function signOf(differs: boolean | null) {
  const [sign, words] =
    differs === null ? ['?', 'not known'] : differs ? ['≠', 'differs'] : ['=', 'same'];
  return (
    <>
      <span aria-hidden="true">{sign}</span>
      <span class="only-read">{words}</span>
    </>
  );
}

/** Two canonical texts as fields, in the order of the left one. */
export function fieldsOf(left: string | null, right: string | null): readonly FieldPair[] {
  const [ours, theirs] = [membersOf(left), membersOf(right)];
  const names = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  return [...names].map((name) => {
    const pair = { left: ours[name] ?? null, right: theirs[name] ?? null };
    return { name, ...pair, differs: pair.left !== pair.right };
  });
}

/** JSON texts by member; numbers in the spelling they came in. */
function membersOf(text: string | null): Readonly<Record<string, string>> {
  if (text === null) return {};
  const asText = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined
      ? (JSON as unknown as RawJson).rawJSON(context.source)
      : value;
  const members: Record<string, unknown> = JSON.parse(text, asText);
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, JSON.stringify(value)]),
  );
}

/** Of a browser that keeps a number's spelling (all current ones do). */
interface RawJson {
  rawJSON(text: string): unknown;
}
