export {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  embeddedUrl,
  startEmbeddedPostgres,
} from './server.ts';
