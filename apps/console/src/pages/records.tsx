import { EmptyState } from '../parts/empty-state.tsx';

export function RecordsPage() {
  return <EmptyState title="This page is being built." />;
}
