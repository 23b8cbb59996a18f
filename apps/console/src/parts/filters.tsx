import type { ComponentChildren } from 'preact';
import { replaceQuery, route } from '../router.ts';

/** Filters of a list, kept in the address: it can be sent to somebody, and outlives a reload. */
export function Filters({ children }: { children: ComponentChildren }) {
  const isSet = [...route.value.query].length > 0;
  return (
    <search>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        {children}
        {isSet && (
          <button type="button" class="secondary outline" onClick={() => replaceQuery({})}>
            Clear all
          </button>
        )}
      </form>
    </search>
  );
}

interface FilterProps {
  readonly label: string;
  /** Its member of the address and of the request. */
  readonly name: string;
}

const chosen = (name: string): string => route.value.query.get(name) ?? '';

/** Narrows when Enter is pressed or the field is left. */
export const TextFilter = ({
  label,
  name,
  hint,
  isNumber,
}: FilterProps & { readonly hint?: string; readonly isNumber?: boolean }) => (
  <label>
    {label}
    <input
      type="search"
      inputMode={isNumber ? 'numeric' : undefined}
      autocomplete="off"
      spellcheck={false}
      placeholder={hint}
      value={chosen(name)}
      onChange={({ currentTarget }) => replaceQuery({ [name]: currentTarget.value.trim() })}
    />
  </label>
);

export const SelectFilter = ({
  label,
  name,
  options,
  any = 'any',
}: FilterProps & {
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly any?: string;
}) => {
  const value = chosen(name);
  // An address may name what is not there any more.
  const isListed = value === '' || options.some(([one]) => one === value);
  return (
    <label>
      {label}
      <select
        value={value}
        onChange={({ currentTarget }) => replaceQuery({ [name]: currentTarget.value })}
      >
        <option value="">{any}</option>
        {!isListed && <option value={value}>{value}</option>}
        {options.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
};

/** An instant, by this browser's clock; in the address as UTC. */
export const InstantFilter = ({ label, name }: FilterProps) => (
  <label>
    {label}
    <input
      type="datetime-local"
      value={localOf(chosen(name))}
      onChange={({ currentTarget: { value } }) =>
        replaceQuery({ [name]: value === '' ? '' : new Date(value).toISOString() })
      }
    />
  </label>
);

/** As `datetime-local` has it, to the minute; empty for what is no instant. */
function localOf(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  const minutes = at.getTime() - at.getTimezoneOffset() * 60_000;
  return new Date(minutes).toISOString().slice(0, 16);
}

/** The members of the address that narrow, as a query; empty: none does. */
export function askedFor(names: readonly string[]): URLSearchParams {
  const asked = new URLSearchParams();
  for (const name of names) {
    const value = chosen(name);
    if (value !== '') asked.set(name, value);
  }
  return asked;
}
