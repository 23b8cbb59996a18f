// Somebody who follows a page: one folder that looks like a clone, one shell, one terminal with the service.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@tandem/embedded-postgres';
import { vi } from 'vitest';
import { run } from '../../apps/cli/src/run.ts';
import {
  environmentWith,
  root,
  startTandem,
  type Tandem,
  temporaryFolder,
} from '../tandem-process.ts';
import { type Block, isShown } from './page.ts';

const UNTIL = { timeout: 90_000, interval: 200 };
const COMMAND_TIMEOUT_MS = 120_000;
/** Made by whoever works in a clone, and not part of one. */
const OWN = ['.git', 'data', 'node_modules.bak'];

/** What `npm` would run, without the time that npm itself takes. */
const TANDEM = 'tandem() { node apps/cli/src/main.ts "$@"; }';
/** One command of the command line and nothing of a shell's. */
const PLAIN_TANDEM = /^tandem( +("[^"$`\\]*"|'[^']*'|[\w./=:-]+))*$/;

export class Terminal {
  readonly folder: string;
  readonly #variables: Readonly<Record<string, string>>;
  #service: Tandem | undefined;
  /** What the page has exported so far. */
  readonly #exports: string[] = [];

  private constructor(folder: string, variables: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#variables = variables;
  }

  /** @param variables of every command */
  static async open(variables: Readonly<Record<string, string>> = {}): Promise<Terminal> {
    const folder = join(temporaryFolder(), 'tandem');
    mkdirSync(folder);
    for (const name of readdirSync(root).filter((one) => !OWN.includes(one))) {
      symlinkSync(join(root, name), join(folder, name));
    }
    const [PORT, WORKER_PORT] = [String(await freePort()), String(await freePort())];
    return new Terminal(folder, { PORT, WORKER_PORT, ...variables });
  }

  /** @returns what it printed. @throws {Error} when it ends, or prints, otherwise than the page says */
  async run(block: Block): Promise<string> {
    switch (block.how) {
      case 'not-run':
        return '';
      case 'start':
        return this.#start(block);
      case 'stop':
        return this.stop();
      case 'until': {
        let output = '';
        const isThere = async () => {
          const ended = await this.#command(block.commands);
          output = ended.output;
          return ended.status === block.status && isShown(block.shown ?? '', output);
        };
        await vi.waitUntil(isThere, UNTIL).catch(() => {
          throw wrong(block, 'it did not come to what the page shows', output);
        });
        return output;
      }
      default: {
        const { status, output } = await this.#command(block.commands);
        this.#exports.push(...block.commands.split('\n').filter((one) => /^export /.test(one)));
        if (status === block.status) return output;
        throw wrong(block, `it ended with ${status}`, output);
      }
    }
  }

  /** Ctrl-C, if the service runs. */
  async stop(): Promise<string> {
    const service = this.#service;
    this.#service = undefined;
    if (service === undefined) return '';
    const status = await service.interrupt();
    if (status !== 0) throw new Error(`The service ended with ${status}:\n${service.output()}`);
    return service.output();
  }

  async #start(block: Block): Promise<string> {
    const commands = block.commands.replaceAll('npm start', `exec node ${root}/scripts/start.ts`);
    const script = `cd '${this.folder}'\n${this.#here(commands)}`;
    const service = startTandem(this.#variables, ['bash', '-euc', script]);
    this.#service = service;
    await service.ready();
    const { shown } = block;
    if (shown === undefined) return service.output();
    await vi
      .waitUntil(() => isShown(`…${shown}…`, service.output()), UNTIL)
      .catch(() => {
        throw wrong(block, 'it did not print what the page shows', service.output());
      });
    return service.output();
  }

  /** A page's many plain commands are run in this process: what they do is the same, in a fraction of the time. */
  async #command(commands: string): Promise<{ status: number; output: string }> {
    if (!PLAIN_TANDEM.test(commands)) return this.#bash(commands);
    const args = [...commands.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
      ([, double, single, plain]) => double ?? single ?? (plain as string),
    );
    const lines: string[] = [];
    const add = (text: string) => void lines.push(text);
    const status = await run(args.slice(1), this.#environment(), { data: add, say: add });
    return { status, output: lines.join('\n') };
  }

  /** What the page's shell has exported, beside this terminal's own. */
  #environment(): NodeJS.ProcessEnv {
    const exported = this.#exports.map((line) => {
      const [, name, value] = /^export (\w+)=(.*)$/.exec(line) as unknown as [
        string,
        string,
        string,
      ];
      return [name, value.replaceAll('$PWD', this.folder)];
    });
    const variables = { DATA_DIR: join(this.folder, 'data'), ...this.#variables };
    return environmentWith({ ...variables, ...Object.fromEntries(exported) });
  }

  #bash(commands: string): Promise<{ status: number; output: string }> {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', `${TANDEM}\n${this.#here(commands)}`], {
      cwd: this.folder,
      env: environmentWith(this.#variables),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: COMMAND_TIMEOUT_MS,
    });
    let output = '';
    const add = (text: string) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', add);
    child.stderr.setEncoding('utf8').on('data', add);
    return new Promise((settle, fail) => {
      child.once('error', fail);
      child.once('close', (code, signal) => {
        if (signal !== null) add(`\n(ended by ${signal})`);
        settle({ status: code ?? 1, output });
      });
    });
  }

  /** In this terminal, where the service is not at the default port that pages speak of. */
  #here(commands: string): string {
    const here = commands.replaceAll('localhost:8000', `127.0.0.1:${this.#variables.PORT}`);
    return [...this.#exports, here].join('\n');
  }
}

const wrong = ({ line, commands, shown }: Block, what: string, output: string): Error =>
  new Error(`Line ${line}: ${what}.\n${commands}\n--- printed:\n${output}\n--- shown:\n${shown}`);
