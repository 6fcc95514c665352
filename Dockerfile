# One image, one entry with subcommands (`operator`, `bridge`, ...). The last stage holds Node, the libraries it links to,
# the certificates and this project: no shell, no package manager, nothing writable.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Types, source maps and prose are a third of what npm installs, and nothing reads them here.
RUN npm ci --omit=dev --ignore-scripts \
 && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.md' \) -delete \
 && rm .npmrc package-lock.json

FROM ${BASE} AS node
WORKDIR /node
# What `node` links to, in the loader's own words, so that the same lines build on every architecture.
RUN mkdir -p etc/ssl/certs tmp \
 && chmod 1777 tmp \
 && cp --parents "$(command -v node)" . \
 && ldd "$(command -v node)" | grep -o '/[^ ]*' | while read -r library; do cp --parents -L "$library" .; done \
 && if [ -f /etc/ssl/certs/ca-certificates.crt ]; then cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/; fi \
 && echo 'streambridge:x:65532:65532::/tmp:/sbin/nologin' > etc/passwd \
 && echo 'streambridge:x:65532:' > etc/group \
 && echo 'hosts: files dns' > etc/nsswitch.conf

FROM scratch AS app
COPY --from=node /node /
COPY --from=dependencies /app /app
COPY bridge-runtime /app/bridge-runtime
COPY crds /app/crds
COPY operator /app/operator
COPY cli /app/cli
WORKDIR /app
ENV NODE_ENV=production HOME=/tmp
USER 65532:65532

# Compiles once what the two commands load, so that pods start without parsing and stripping types again. Node keys this
# cache by its version, the paths and the user id; where one differs it only starts slower.
FROM app AS compiled
ENV NODE_COMPILE_CACHE=/tmp/compile-cache
RUN ["/usr/local/bin/node", "--expose-gc", "--max-semi-space-size=4", "--input-type=module", "--eval", "import { globSync } from 'node:fs'; for (const file of globSync(['cli/commands/{operator,bridge}.ts', 'bridge-runtime/connectors/*/{source,sink}.ts', 'bridge-runtime/lease-stores/kubernetes/kubernetes.ts'])) await import('/app/' + file)"]

FROM app
COPY --from=compiled /tmp/compile-cache /app/.compile-cache
ENV NODE_COMPILE_CACHE=/app/.compile-cache
# Records on their way are short-lived: a small young generation and early collections (bridge-runtime/buffer-memory.ts)
# keep memory small. The flags are in the step above, too: the cache is for the same flags.
# SIGUSR1 would open the inspector to anybody in the pod.
ENTRYPOINT ["/usr/local/bin/node", "--disable-sigusr1", "--expose-gc", "--max-semi-space-size=4", "cli/main.ts"]
CMD ["--help"]
