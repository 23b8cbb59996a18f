// npm run -s tandem -- COMMAND …
import { processOutput, watchOutput } from './output.ts';
import { EXIT, run } from './run.ts';

watchOutput(EXIT.failed);
process.exitCode = await run(process.argv.slice(2), process.env, processOutput);
