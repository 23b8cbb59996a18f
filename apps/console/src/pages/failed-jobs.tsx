import { EmptyState } from '../parts/empty-state.tsx';

export function FailedJobsPage() {
  return <EmptyState title="This page is being built." />;
}
