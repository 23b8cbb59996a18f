import { computed, signal } from '@preact/signals';

export const PAGES = [
  { id: 'phase', name: 'Phase' },
  { id: 'replication', name: 'Replication' },
  { id: 'failed-jobs', name: 'Failed jobs' },
  { id: 'consistency', name: 'Consistency' },
  { id: 'records', name: 'Records' },
  { id: 'audit', name: 'Audit' },
] as const;
export type PageId = (typeof PAGES)[number]['id'];

interface Route {
  readonly page: PageId;
  /** What follows the page: `#/records/expense/5` has `['expense', '5']`. */
  readonly rest: readonly string[];
  /** Behind a `?`, as in `#/failed-jobs?collection=expense`. */
  readonly query: URLSearchParams;
}

const hash = signal('');

/** Where the address says we are; an address that says nothing known is the first page. */
export const route = computed<Route>(() => {
  const [path = '', query = ''] = hash.value.replace(/^#\/?/, '').split('?', 2);
  const [first, ...rest] = path.split('/').filter(Boolean).map(decoded);
  const page = PAGES.find(({ id }) => id === first)?.id ?? PAGES[0].id;
  return { page, rest, query: new URLSearchParams(query) };
});

/** An address within the console. */
export function hrefOf(
  page: PageId,
  rest: readonly (string | number)[] = [],
  query: Readonly<Record<string, string>> = {},
): string {
  const path = [page, ...rest].map((part) => encodeURIComponent(part)).join('/');
  const search = new URLSearchParams(query).toString();
  return `#/${path}${search === '' ? '' : `?${search}`}`;
}

export function goTo(href: string): void {
  location.hash = href;
}

/** Sets members of the address behind the `?`; an empty one goes. No step of the history: nobody wants
 *  to go back letter by letter. With none all go. */
export function replaceQuery(members: Readonly<Record<string, string>>): void {
  const { page, rest, query } = route.peek();
  const isClearing = Object.keys(members).length === 0;
  const next = isClearing ? {} : { ...Object.fromEntries(query), ...members };
  const set = Object.entries(next).filter(([, value]) => value !== '');
  history.replaceState(null, '', hrefOf(page, rest, Object.fromEntries(set)));
  hash.value = location.hash;
}

export function startRouter(): void {
  const follow = () => {
    // Others name a place on the page that is shown.
    if (location.hash.startsWith('#/')) hash.value = location.hash;
  };
  addEventListener('hashchange', follow);
  follow();
}

/** Somebody may have typed an address that is no valid encoding. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
