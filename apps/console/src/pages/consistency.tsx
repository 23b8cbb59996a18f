import { route } from '../router.ts';
import { DivergencePage } from './consistency/divergence-page.tsx';
import { EditPage } from './consistency/edit-page.tsx';
import { OverviewPage } from './consistency/overview-page.tsx';
import { RunPage } from './consistency/run-page.tsx';

/** How far both stores are known to agree; or the run, difference or edit that the address names. */
export function ConsistencyPage() {
  const [what, name] = route.value.rest;
  if (name !== undefined && what === 'runs') return <RunPage key={name} id={name} />;
  if (name !== undefined && what === 'divergences') return <DivergencePage key={name} id={name} />;
  if (name !== undefined && what === 'edits') return <EditPage key={name} name={name} />;
  return <OverviewPage />;
}
