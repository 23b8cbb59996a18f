import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

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
    app.get('/console', { config, schema: { hide: true } }, (_request, reply) =>
      reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT),
    );
    return;
  }
  await app.register(fastifyStatic, {
    root: folder,
    prefix: '/console/',
    // A route for each file that there is: no path is ever looked up in the file system.
    wildcard: false,
    globIgnore: ['**/*.{br,gz}'],
    preCompressed: true,
    logLevel: 'warn',
    cacheControl: false,
    setHeaders: (reply, path) => securely(reply, path.includes('/assets/')),
  });
  app.get('/console', { logLevel: 'warn', config, schema: { hide: true } }, (_request, reply) =>
    reply.sendFile('index.html'),
  );
}

/** @param isHashed its name changes with its content */
function securely(reply: Pick<FastifyReply, 'header'>, isHashed: boolean): void {
  reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
  reply.header('x-content-type-options', 'nosniff');
  reply.header('referrer-policy', 'no-referrer');
  reply.header('cross-origin-opener-policy', 'same-origin');
  reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
}
