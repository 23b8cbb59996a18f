import '@picocss/pico/css/pico.min.css';
import 'uplot/dist/uPlot.min.css';
import './style/base.css';
import './style/parts.css';
import './style/pages.css';
import './style/lists.css';
import { render } from 'preact';
import { startClock } from './api/clock.ts';
import { resume } from './api/session.ts';
import { startPolling } from './api/snapshot.ts';
import { App } from './app.tsx';
import { startRouter } from './router.ts';

const place = document.getElementById('console');
if (place === null) throw new Error('The page has no place for the console.');
// The token in the address, if there is one, is taken out before anything else looks at it.
const resumed = resume();
startRouter();
startClock();
startPolling();
render(<App />, place);
await resumed;
