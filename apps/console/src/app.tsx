import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { session } from './api/session.ts';
import { AuditPage } from './pages/audit.tsx';
import { ConsistencyPage } from './pages/consistency.tsx';
import { FailedJobsPage } from './pages/failed-jobs.tsx';
import { PhasePage } from './pages/phase.tsx';
import { RecordsPage } from './pages/records.tsx';
import { ReplicationPage } from './pages/replication.tsx';
import { Announcer } from './parts/announcer.tsx';
import { Notices } from './parts/notices.tsx';
import { SignIn } from './parts/sign-in.tsx';
import { Navigation, TopBar, Warnings } from './parts/top-bar.tsx';
import { PAGES, type PageId, route } from './router.ts';

const VIEWS: Readonly<Record<PageId, ComponentType>> = {
  phase: PhasePage,
  replication: ReplicationPage,
  'failed-jobs': FailedJobsPage,
  consistency: ConsistencyPage,
  records: RecordsPage,
  audit: AuditPage,
};

export function App() {
  const { state } = session.value;
  if (state === 'asking')
    return (
      <p class="loading" aria-busy="true">
        Signing in …
      </p>
    );
  if (state === 'out') return <SignIn />;
  return <SignedIn />;
}

function SignedIn() {
  const { page, rest } = route.value;
  const place = [page, ...rest].join('/');
  const View = VIEWS[page];
  const name = PAGES.find(({ id }) => id === page)?.name ?? '';
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(place);
  useEffect(() => {
    document.title = `${name} · Tandem`;
    // Who goes to another page by keyboard or screen reader goes on reading there.
    if (before.current !== place) heading.current?.focus();
    before.current = place;
  }, [place, name]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <TopBar />
      <div class="frame">
        <Navigation />
        <main id="main" tabIndex={-1}>
          <Warnings />
          <h1 tabIndex={-1} ref={heading}>
            {name}
          </h1>
          <View />
        </main>
      </div>
      <Notices />
      <Announcer />
    </>
  );
}
