export { freePort } from './free-port.ts';
export {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  embeddedUrl,
  startEmbeddedPostgres,
} from './server.ts';
