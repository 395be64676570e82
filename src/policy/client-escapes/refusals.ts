import type { DatabaseClient } from './client.ts'

/** A connection's setting, sent among its variables. Any gateway can send it, and no caller can set it. */
export const CLIENT_ESCAPES = 'RUNBOOK_AGENT_CLIENT_ESCAPES'

const BLOCKED = 'client escapes are blocked on this connection'
const WAY = `or allow them (access.client-escapes in gateway.yaml, ${CLIENT_ESCAPES} in a connection of hoop)`

/** Why a connection's command does not run with its escapes blocked, as told to whoever runs a script. */
export const refusals = {
  wish: () => `${CLIENT_ESCAPES} of this connection has to be block or allow`,

  terminal: () =>
    `${BLOCKED}, and on a terminal they cannot be: run a script with exec, or a runbook, ${WAY}`,

  program: () =>
    `${BLOCKED}, and that is possible with psql, mariadb and redis-cli alone: let its command begin with one of these, without a shell or another program in front, ${WAY}`,

  open: (why: string) => `${BLOCKED}, and ${why}. Use another program, ${WAY}`,

  option: ({ name }: DatabaseClient, option: string) =>
    `${BLOCKED}, and its command has ${option}, which is not known to leave ${name} without any: take it out, ${WAY}`,

  callersOption: ({ name }: DatabaseClient, option: string) =>
    `${BLOCKED}: a caller may only add arguments that say how ${name} prints results, and ${option} is none`,

  version: ({ name, version }: DatabaseClient, found: string | undefined) =>
    `${BLOCKED}, and ${found === undefined ? `this ${name}, whose version is not known,` : `${name} ${found}`} cannot run without them: that takes ${version?.needed ?? ''}. Install one where the agent runs, ${WAY}`,
}
