// npm run sweep -- crash [--states N] [--seed N] [--point N --choices A.B.C]
// npm run sweep -- fault [--workloads N] [--length N] [--seed N] [--kind K --at N --sticky true|false]
// npm run sweep -- corruption [--bytes N] [--share 0…1] [--ending E] [--seed N] [--path P --bit N|--length N]
//
// The long forms of the durability sweeps (docs/durability.md). Prints how far it is, what it found with
// the arguments that replay it, and a closing line; the status is 1 when something was found.
import { parseArgs } from 'node:util';
import { SWEEPS } from './sweeps/sweeps.ts';

const [name = '', ...args] = process.argv.slice(2);
const sweep = SWEEPS[name];
if (sweep === undefined) {
  console.error(
    `npm run sweep -- ${Object.keys(SWEEPS).join('|')} …: there is no sweep "${name}".`,
  );
  process.exit(2);
}
const { values } = parseArgs({ args, options: sweep.options });
const violations = await sweep.run(values as Record<string, string | undefined>, (line) =>
  console.log(line),
);
for (const violation of violations) console.log(`VIOLATION ${name} ${violation}`);
process.exitCode = violations.length === 0 ? 0 : 1;
