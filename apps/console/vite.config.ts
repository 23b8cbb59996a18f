import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Where the api listens while the page is worked on with `vite`. */
const API = process.env.TANDEM_API ?? 'http://127.0.0.1:8000';

/** Each file also compressed: the api sends them as they are. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    enforce: 'post',
    generateBundle(_options, bundle) {
      for (const [fileName, file] of Object.entries(bundle)) {
        const content = Buffer.from(file.type === 'chunk' ? file.code : file.source);
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        for (const [ending, source] of [
          ['br', brotliCompressSync(content, { params })],
          ['gz', gzipSync(content, { level: constants.Z_BEST_COMPRESSION })],
        ] as const) {
          this.emitFile({ type: 'asset', fileName: `${fileName}.${ending}`, source });
        }
      }
    },
  };
}

export default defineConfig({
  base: '/console/',
  build: {
    target: 'es2023',
    // The style sheet's icons stay in it.
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  plugins: [compressed()],
  server: { proxy: { '/api': API } },
});
