// npm run build:console: builds the operators' page, unless it is built from the same sources already.
import { buildConsole } from './console/build-console.ts';

console.log((await buildConsole()) ? 'The console is built.' : 'The console was built already.');
