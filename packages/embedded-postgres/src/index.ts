export { freePort } from './free-port.ts';
export { sendSignal } from './send-signal.ts';
export {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  embeddedUrl,
  startEmbeddedPostgres,
} from './server.ts';
