import {
  createToken,
  readTokens,
  revokeToken,
  TOKEN_SCOPES,
  type TokenScope,
  tokenFilePath,
} from '@tandem/storage/tokens';
import { type Command, Option } from 'commander';
import type { CommandContext } from './command-context.ts';
import { operatorName } from './operator.ts';
import { tokenListAsText } from './token-text.ts';

/** `tandem token …`: the clients' tokens. Needs neither PostgreSQL nor a running service. */
export function addToken(program: Command, context: CommandContext): void {
  const command = program
    .command('token')
    .description('tokens of clients; running processes notice a change within a second');
  addCreate(command, context);
  addList(command, context);
  addRevoke(command, context);
}

function addCreate(command: Command, { configure, output }: CommandContext): void {
  const scope = new Option('--scope <scope>', 'what it allows; write includes read');
  command
    .command('create')
    .description('makes a token and prints it, this once: only its digest is kept')
    .argument('<name>', 'whom it is for')
    .addOption(scope.choices(TOKEN_SCOPES).makeOptionMandatory())
    .option('--json', 'as one JSON object')
    .action(async (name: string, options: { scope: TokenScope; json?: boolean }) => {
      const { dataDir, allowAnonymous } = configure();
      const order = { name, scope: options.scope, by: operatorName() };
      const { token, record } = await createToken(dataDir, order);
      const { sha256: _, ...told } = record;
      output.data(options.json ? JSON.stringify({ ...told, token }) : token);
      output.say(`Token ${record.id} for ${name} may ${scopeAsText(record.scope)}.`);
      if (record.scope === 'metrics') return;
      output.say(
        allowAnonymous
          ? 'Clients may still come without one, as ALLOW_ANONYMOUS_CLIENTS=true says.'
          : 'From now on every client of the records needs a token.',
      );
    });
}

function addList(command: Command, { configure, output }: CommandContext): void {
  command
    .command('list', { isDefault: true })
    .description('lists them, the revoked ones too')
    .option('--json', 'as a JSON array')
    .action(async (options: { json?: boolean }) => {
      const { tokens = [] } = (await readTokens(tokenFilePath(configure().dataDir))) ?? {};
      const told = tokens.map(({ sha256: _, ...token }) => token);
      output.data(options.json ? JSON.stringify(told, null, 2) : tokenListAsText(told));
    });
}

function addRevoke(command: Command, { configure, output }: CommandContext): void {
  command
    .command('revoke')
    .description('lets a token count no more')
    .argument('<token>', 'its id or name')
    .option('--json', 'as one JSON object')
    .action(async (which: string, options: { json?: boolean }) => {
      const record = await revokeToken(configure().dataDir, { which, by: operatorName() });
      const { sha256: _, ...told } = record;
      if (options.json) output.data(JSON.stringify(told));
      else output.say(`Token ${record.id} of ${record.name} is revoked.`);
    });
}

const scopeAsText = (scope: TokenScope): string =>
  ({ read: 'read records', write: 'read and write records', metrics: 'read metrics' })[scope];
