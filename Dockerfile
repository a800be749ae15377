# syntax=docker/dockerfile:1
# Two images of one build: `worker` serves Temporal queues, `processing` is what SageMaker runs for one study. A third,
# `aws-stand-in`, is the stand-in of AWS that the tests use, for docker-compose.yml alone.
#
#   docker build --target worker -t cohortflow-worker .
#   docker build --target processing -t cohortflow-processing .
#
# Give the base by digest where it matters: --build-arg NODE_IMAGE=node:20.20.2-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:20.20.2-bookworm-slim

FROM ${NODE_IMAGE} AS packages
WORKDIR /cohortflow
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund

FROM packages AS build
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM ${NODE_IMAGE} AS base
ENV NODE_ENV=production
WORKDIR /cohortflow
COPY --from=build /cohortflow/package.json ./
COPY --from=build /cohortflow/node_modules ./node_modules
COPY --from=build /cohortflow/dist ./dist
COPY bin ./bin

# The steps of one study, without Salmon and without a network. SageMaker runs it as root: the folders it mounts are root's.
FROM base AS processing
ENTRYPOINT ["node", "/cohortflow/dist/processing/main.js"]

# Nothing in it asks who calls: never where others reach it. S3 is moto's, in the versions that the tests have.
FROM packages AS aws-stand-in
RUN apt-get update \
    && apt-get install -y --no-install-recommends salmon python3-venv ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/moto \
    && /opt/moto/bin/pip install --no-cache-dir 'moto[server]==5.2.5' 'awscli==1.46.3'
ENV PATH=/opt/moto/bin:$PATH
COPY --from=build /cohortflow/dist ./dist
COPY scripts ./scripts
COPY src ./src
COPY test/support ./test/support
USER node
EXPOSE 4570
ENTRYPOINT ["node", "/cohortflow/scripts/aws-stand-in.mjs", "--built"]

FROM base AS worker
RUN apt-get update \
    && apt-get install -y --no-install-recommends salmon sra-toolkit ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /var/lib/cohortflow && chown node:node /var/lib/cohortflow
# What a worker writes; the rest of the file system may be read only. Named here, volumes mounted there belong to `node`.
VOLUME ["/var/lib/cohortflow", "/tmp"]
USER node
ENV COHORTFLOW_STATE=/var/lib/cohortflow/state \
    COHORTFLOW_CACHE=/var/lib/cohortflow/cache \
    COHORTFLOW_HEALTH_PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: signals reach the worker, which hands its work back within 120 s.
ENTRYPOINT ["node", "/cohortflow/bin/cohortflow.js"]
CMD ["worker"]
