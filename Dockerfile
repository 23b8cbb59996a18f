# The api, the worker and the CLI in one image; docker-compose.yaml says which one runs.

# The operators' page: what builds it stays behind in this stage.
FROM node:24.21-bookworm-slim AS console

WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY apps/api/package.json apps/api/
COPY apps/cli/package.json apps/cli/
COPY apps/console/package.json apps/console/
COPY apps/worker/package.json apps/worker/
COPY packages/embedded-postgres/package.json packages/embedded-postgres/
COPY packages/storage/package.json packages/storage/
COPY packages/telemetry/package.json packages/telemetry/
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile --filter "@tandem/console"
COPY tsconfig.json ./
COPY apps/console apps/console
RUN cd apps/console && node node_modules/vite/bin/vite.js build

FROM node:24.21-bookworm-slim

WORKDIR /app
ENV NODE_ENV=production

# The manifests first: as long as they stay the same, the installed packages come from the cache.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY apps/api/package.json apps/api/
COPY apps/cli/package.json apps/cli/
COPY apps/console/package.json apps/console/
COPY apps/worker/package.json apps/worker/
COPY packages/embedded-postgres/package.json packages/embedded-postgres/
COPY packages/storage/package.json packages/storage/
COPY packages/telemetry/package.json packages/telemetry/
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile --prod \
      --filter "@tandem/api..." --filter "@tandem/worker..." --filter "@tandem/cli..." \
    && rm -rf /root/.npm /root/.cache /root/.local

# The sources themselves, not packages built from them: node strips types everywhere but below
# node_modules, and there the workspace's packages are links to here.
COPY apps apps
COPY packages packages
COPY migrations migrations
COPY --from=console /app/apps/console/dist apps/console/dist

# A new volume mounted here takes this owner.
RUN mkdir /data && chown node:node /data
ENV DATA_DIR=/data
USER node

EXPOSE 8000 8001
CMD ["node", "apps/api/src/server.ts"]
