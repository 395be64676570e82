import { oneLine } from '../basics/text/one-line.ts'
import type { Status } from './status.ts'
import type { Life } from './systemd.ts'

export const CONNECTION_STATES = [
  'idle',
  'connecting',
  'polling',
  'serving',
  'waiting',
  'conflict',
  'refused',
  'draining',
  'stopped',
] as const

/**
 * Whether executions can get here. `polling` is an agent with mode=embedded, told by the gateway that nobody waits for
 * it: it connects as soon as somebody does.
 */
export function isReady({ connection: { state } }: Status): boolean {
  return state === 'serving' || state === 'polling'
}

/** The connection in words, one line: `refused: the gateway refuses this key`. */
export function connectionWords({ connection }: Status): string {
  const { state, reason = '' } = connection
  const why = [reason, ...gatewayWords(connection)].filter((text) => text !== '').join(', ')
  return oneLine(why === '' ? state : `${state}: ${why}`)
}

/** What is unusual about the gateway of an open stream. */
function gatewayWords({ stall, gatewayStopsAt }: Status['connection']): string[] {
  return [
    ...(gatewayStopsAt === undefined
      ? []
      : [`the gateway is stopping: commands that run go on until ${gatewayStopsAt}`]),
    ...(stall === undefined
      ? []
      : [`the gateway has taken nothing since ${stall.since}, ${stall.bytes} bytes wait`]),
  ]
}

/** What the agent does: `serving 127.0.0.1:8010 as local, 2 of 100 sessions`. */
export function activityWords(status: Status): string {
  const { connection, gateway, agent, sessions } = status
  const count = [`${sessions.running} of ${sessions.limit} sessions`, ...gatewayWords(connection)].join('; ')
  switch (connection.state) {
    case 'serving':
      return oneLine(`serving ${gateway}${agent === '' ? '' : ` as ${agent}`}, ${count}`)
    case 'connecting':
      return oneLine(`connecting to ${gateway}`)
    case 'draining':
      return oneLine(`draining, ${count}`)
    default:
      return connectionWords(status)
  }
}

/**
 * "Ready" means that the agent has begun to connect. If it meant connected, the start would fail whenever a gateway is
 * away.
 */
export function agentLife(status: Status): Life {
  const { state } = status.connection
  const isStopping = state === 'draining' || state === 'stopped'
  return { isReady: state !== 'idle', isStopping, words: activityWords(status) }
}
