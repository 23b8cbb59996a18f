// json-server as its README shows it as a module. It writes the whole file for every POST.
// DATA_DIR names a folder, RECORDS how many are there at first.
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import jsonServer from 'json-server';
import { firstExpenses } from './first-expenses.ts';

const path = join(process.env.DATA_DIR as string, 'db.json');
writeFileSync(path, JSON.stringify({ expense: firstExpenses() }));
const server = jsonServer.create();
server.use(jsonServer.defaults({ logger: false }));
server.use(jsonServer.rewriter({ '/api/v1/*': '/$1' }));
server.use(jsonServer.router(path));
process.once('SIGTERM', () => process.exit(0));
const listening = server.listen(0, '127.0.0.1', () => {
  console.log(`listening at http://127.0.0.1:${(listening.address() as AddressInfo).port}`);
});
