import { EmptyState } from '../parts/empty-state.tsx';

export function AuditPage() {
  return <EmptyState title="This page is being built." />;
}
