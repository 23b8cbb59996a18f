import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { sendProblem } from './problems.ts';

export interface ConsolePageOptions {
  /** Where `vite build` puts the page. */
  readonly folder: string;
}

/** Everything the page needs comes from this server, in files: no inline script or style, no form that
 *  a browser would send by itself, no frame around it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  // Icons of the style sheet.
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PREFIX = '/console';
/** A file is sent packed where the browser takes it so. */
const PACKED = ['.br', '.gz', '.deflate'];

const NOT_BUILT =
  'The console is not built. "npm start" does it; by hand: "npm run build:console", then start the api again.\n';

/**
 * The console at `/console`. Its files hold no secret: every datum that they show is asked for with the
 * operators' token. Where they were not built, the page says so, and nothing else is different.
 */
export async function consolePage(
  app: FastifyInstance,
  { folder }: ConsolePageOptions,
): Promise<void> {
  const config = { scope: 'public' } as const;
  if (!existsSync(join(folder, 'index.html'))) {
    app.get(PREFIX, { config, schema: { hide: true } }, (_request, reply) =>
      reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT),
    );
    return;
  }
  // Each route stands for one file, which somebody may have made a link to another one, before or since.
  app.addHook('onRequest', async (request, reply) => {
    const { url = PREFIX } = request.routeOptions;
    if (!(await leadsElsewhere(folder, url.slice(PREFIX.length)))) return;
    return sendProblem(reply, { code: 'not-found', detail: `There is no ${url} of the console.` });
  });
  await app.register(fastifyStatic, {
    root: folder,
    prefix: `${PREFIX}/`,
    // A route for each file that there is: no path is ever looked up in the file system.
    wildcard: false,
    globIgnore: [`**/*{${PACKED}}`],
    preCompressed: true,
    logLevel: 'warn',
    cacheControl: false,
    setHeaders: (reply, path) => securely(reply, path.includes('/assets/')),
  });
  app.get(PREFIX, { logLevel: 'warn', config, schema: { hide: true } }, (_request, reply) =>
    reply.sendFile('index.html'),
  );
}

/** Whether a file of the folder, or a packed form of it, or a folder on the way to it is a symbolic link. */
async function leadsElsewhere(folder: string, path: string): Promise<boolean> {
  const root = await realPathOf(folder);
  // Being built anew.
  if (root === undefined) return false;
  const file = path === '' || path.endsWith('/') ? `${path}index.html` : path;
  for (const packed of ['', ...PACKED]) {
    const real = await realPathOf(join(folder, file + packed));
    if (real !== undefined && real !== join(root, file + packed)) return true;
  }
  return false;
}

/** `undefined` where there is no such file. */
async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @param isHashed its name changes with its content */
function securely(reply: Pick<FastifyReply, 'header'>, isHashed: boolean): void {
  reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
  reply.header('x-content-type-options', 'nosniff');
  reply.header('referrer-policy', 'no-referrer');
  reply.header('cross-origin-opener-policy', 'same-origin');
  reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
}
