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
export function connectionWords({ connection: { state, reason, stall } }: Status): string {
  const why = [reason ?? '', stallWords(stall)].filter((text) => text !== '').join(', ')
  return oneLine(why === '' ? state : `${state}: ${why}`)
}

/** Empty when the gateway takes what is sent. */
function stallWords(stall: Status['connection']['stall']): string {
  return stall === undefined
    ? ''
    : `the gateway takes nothing since ${stall.since}, ${stall.bytes} bytes wait`
}

/** What the agent does: `serving 127.0.0.1:8010 as local, 2 of 100 sessions`. */
export function activityWords(status: Status): string {
  const { connection, gateway, agent, sessions } = status
  const stall = stallWords(connection.stall)
  const count = `${sessions.running} of ${sessions.limit} sessions${stall === '' ? '' : `; ${stall}`}`
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
