# The agent, or with --build-arg PRODUCT=runbook-gateway the gateway, with what runbooks need at least: bash and git.
# docs/operating.md says how to run it and how to add more.
# No syntax line and no feature beyond multi-stage builds: docker, podman and buildah build it.

# Both are LTS. The agent runs on Node from 20.19, 22.13 or 24 on, and is fastest on 24; its engine wants glibc 2.34 or
# newer (this is 2.41).
ARG NODE=24
ARG DEBIAN=trixie
ARG PRODUCT=runbook-agent

FROM docker.io/library/node:${NODE}-${DEBIAN}-slim AS build
ARG PRODUCT
WORKDIR /build
COPY package.json package-lock.json ./
# What the lockfile says and nothing newer. No install script runs: every binary lies in its package.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/compile.mjs scripts/bundle.mjs scripts/keep-code.cjs ./scripts/
COPY LICENSE ./
COPY proto ./proto
COPY examples ./examples
COPY systemd ./systemd
COPY src ./src
COPY web ./web
# The product's folder has the program for this Node, and the packages that it cannot contain. Of the others
# node_modules has the package.json, by which scanners know them.
RUN node scripts/build.mjs && node scripts/bundle.mjs "$PRODUCT" /product

# Not the node image: it brings npm and yarn, which nothing needs at run time.
FROM docker.io/library/debian:${DEBIAN}-slim
# tini is process 1: it passes signals on and collects what is orphaned when the agent itself has ended.
# ca-certificates is for git, the tools of runbooks, and the agent's TLS, which takes the distribution's authorities
# beside Node's.
RUN apt-get update \
  && apt-get install -y --no-install-recommends bash ca-certificates git tini \
  && rm -rf /var/lib/apt/lists/* \
  # Commands run as the same user as tini. A program that its user cannot read has an environment that only root can
  # read, in Linux; and with HOOP_KEY the key is in it. The agent closes its own environment itself.
  && chmod 0711 /usr/bin/tini
# By number, so that Kubernetes can see that it is not root. The state folder is for the journal. Secret files go to
# /dev/shm, a tmpfs that every runtime mounts, unless RUNBOOK_AGENT_RUNTIME_DIR names a better one.
RUN groupadd --gid 10001 runbook-agent \
  && useradd --uid 10001 --gid 10001 --create-home --shell /bin/bash runbook-agent \
  && install -d -o 10001 -g 10001 -m 0700 /var/lib/runbook-agent
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /opt/runbook-agent
COPY --from=build /product ./
# All of /opt belongs to root: a runbook cannot change the agent.
RUN ln -s /opt/runbook-agent/dist/main.js /usr/local/bin/runbook-agent

# An empty variable is an unset one to the agent, so hoop's chart may set all of its own to nothing.
ENV RUNBOOK_AGENT_STATE_DIR=/var/lib/runbook-agent
USER 10001:10001
# No HEALTHCHECK: the HTTP port is off unless RUNBOOK_AGENT_HTTP is set, without it there is nothing to ask that the
# end of the process does not tell, and each check would start a second Node. Kubernetes has probes of its own.
# No EXPOSE: the agent connects out.
ENTRYPOINT ["tini", "--"]
CMD ["runbook-agent", "start"]
