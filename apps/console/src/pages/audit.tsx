import type { AuditTrail } from '@tandem/storage/postgres';
import { useResource } from '../api/resource.ts';
import { EmptyState } from '../parts/empty-state.tsx';
import { askedFor, Filters, InstantFilter, SelectFilter, TextFilter } from '../parts/filters.tsx';
import { Pager, usePaging } from '../parts/pager.tsx';
import { Read } from '../parts/read.tsx';
import { ACTIONS } from './audit/actions.ts';
import { TrailList } from './audit/trail-list.tsx';

const FILTERS = ['action', 'contains', 'newerThan', 'olderThan'];
/** The first page is read again this often; who reads an older one is left in peace. */
const READ_INTERVAL_MS = 5_000;

/** Who did what, when and why. */
export function AuditPage() {
  const asked = askedFor(FILTERS);
  const paging = usePaging(asked.toString());
  const isNarrowed = asked.size > 0;
  const query = new URLSearchParams(asked);
  if (paging.cursor !== null) query.set('cursor', paging.cursor);
  const trail = useResource<AuditTrail>(
    `/audit?${query}`,
    paging.cursor === null ? { everyMs: READ_INTERVAL_MS } : {},
  );
  return (
    <>
      <Filters>
        <SelectFilter label="Act" name="action" options={Object.entries(ACTIONS)} />
        <TextFilter label="Who or why has" name="contains" hint="a part of it" />
        <InstantFilter label="Since" name="newerThan" />
        <InstantFilter label="Before" name="olderThan" />
      </Filters>
      <Read of={trail} what="what was done">
        {({ entries, next }) => (
          <>
            {entries.length === 0 ? (
              <EmptyState title={isNarrowed ? 'Nothing matches.' : 'Nobody has done anything yet.'}>
                {isNarrowed
                  ? 'Widen the filters above.'
                  : 'Every act of an operator and every move of the phase is listed here, with who and why.'}
              </EmptyState>
            ) : (
              <TrailList entries={entries} />
            )}
            <Pager paging={paging} next={next} what="the audit trail" />
          </>
        )}
      </Read>
    </>
  );
}
