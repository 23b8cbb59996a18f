import { EmptyState } from '../parts/empty-state.tsx';

export function ConsistencyPage() {
  return <EmptyState title="This page is being built." />;
}
