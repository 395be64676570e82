import { oneLine } from '../../basics/text/printable.ts'
import { askStatus } from '../../operations/status-socket.ts'
import { isReady, parseStatus, type Status } from '../../operations/status.ts'
import { broken, ok, skipped, warning, type Finding } from '../examination.ts'
import { socketPaths } from '../status.ts'
import type { Route } from './way.ts'

const ANSWER_MS = 2000
const MAX_SOCKETS = 64

const NOT_TRIED = 'doctor does not try the key'

/**
 * Tells whether the gateway accepts the key, if this agent already runs on this machine. Only the agent's
 * stream would show it, and a second stream with this key would disturb the agent.
 */
export async function checkSignIn(
  { identity: { name, address } }: Pick<Route, 'identity'>,
  sockets: readonly string[] = socketPaths(),
): Promise<Finding> {
  const statuses = await Promise.all(sockets.slice(0, MAX_SOCKETS).map(statusAt))
  const own = statuses.find((status) => status?.agent === name && status.gateway === address)
  if (own === undefined) return skipped(`${NOT_TRIED}, and no running agent answers that could report it`)
  return judge(own)
}

function judge(status: Status): Finding {
  const { state, since, reason } = status.connection
  const why = reason === undefined ? '' : `: ${reason}`
  const found = oneLine(`the running agent (pid ${status.pid}) reports ${state} since ${since}${why}`)
  if (isReady(status)) return ok(`${NOT_TRIED}; ${found}`)
  if (state === 'refused')
    return broken(
      found,
      'Look for "agent refused" in the log of the gateway, and compare the name and the key with those that the gateway has (gateway.yaml has the secret part of the key, or its SHA-256)',
    )
  if (state === 'conflict') return warning(found, 'End the other agent with this key, or give it its own key')
  return skipped(`${NOT_TRIED}; ${found}`)
}

/** @returns undefined if no agent answers at this socket, or its version is too old */
async function statusAt(path: string): Promise<Status | undefined> {
  const answer = await askStatus(path, ANSWER_MS)
  return 'reason' in answer ? undefined : parseStatus(answer.line)
}
