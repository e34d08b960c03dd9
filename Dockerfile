# The image of ssec-proxy: https://docs.docker.com/reference/dockerfile/
#
#   docker build --tag ssec-proxy --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#     --volume ./etc:/etc/ssec-proxy:ro --publish 8443:8443 ssec-proxy
#
# What runs is Debian, Node's binary, the program and its production dependencies: no npm, no compiler, no curl.
# docs/install.md tells more.

# Both can be images of your own; they must have the same C library.
ARG NODE_IMAGE=docker.io/library/node:26-trixie-slim
ARG RUNTIME_IMAGE=docker.io/library/debian:trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts
COPY bin bin
COPY config/ssec-proxy.schema.json config/
COPY config/status config/status
# Types and source maps are for editors and debuggers: a third of the weight of the dependencies.
RUN mkdir -p /app/dist \
  && mv package.json bin config node_modules /app/ && mv dist/src /app/dist/ \
  && find /app -type d -name dist-types -prune -exec rm -r {} + \
  && find /app -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete \
  && rm -f /app/node_modules/.package-lock.json && chmod -R u=rwX,go=rX /app

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.0.0-unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ssec-proxy" \
  org.opencontainers.image.description="HTTPS reverse proxy that encrypts what unchanged S3 clients store, with SSE-C and keys that you hold" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# As PID 1, node would ignore a SIGTERM that comes before its handler is there (while the start waits for KMS, say), and
# nobody would reap what is left of a credential_process: tini does. Node needs libatomic1.
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends tini libatomic1 \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* \
  && mkdir /etc/ssec-proxy
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
ENV NODE_ENV=production
RUN ["node", "/app/bin/ssec-proxy.js", "--version"]
# A number, so that Kubernetes' runAsNonRoot can see that it is not root; nobody's in Debian.
USER 65532:65532
# The configuration, and what it names, is mounted here. Nothing is ever written: the root file system can be read-only.
WORKDIR /etc/ssec-proxy
EXPOSE 8443
# Asks /healthz of the configuration's `admin`; where there is none, whether its first listener takes connections.
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s \
  CMD ["node", "/app/bin/ssec-proxy.js", "health", "--config", "/etc/ssec-proxy/ssec-proxy.yaml"]
ENTRYPOINT ["tini", "--", "node", "/app/bin/ssec-proxy.js"]
CMD ["serve", "--config", "/etc/ssec-proxy/ssec-proxy.yaml"]
