import type { ConnectError } from '../../dial/connect-error.ts'
import type { ClosedMessage } from '../../wire/messages/message.ts'

/**
 * Why a session ended without an exit code:
 * - `unreachable`: no gateway, or lost before the session was open: nothing has run
 * - `refused`: the gateway does not take the token
 * - `not-permitted`: it takes the token, and not this session
 * - `not-found`: it knows no such connection, or hides it
 * - `invalid`: it does not take what was sent
 * - `busy`: it serves no more of this user, or of anybody, at the moment
 * - `offline`: the connection's agent is away
 * - `killed`: somebody ended the session
 * - `gateway-stopped`: orderly, and the command with it
 * - `agent-lost`, `gateway-lost`: whether the command has run to its end is not known
 * - `expired`: the time for the session is over
 * - `failed`: what else the gateway says
 * - `malformed`: what answered is no gateway of this kind, or the end came without a code
 */
export type NoExitReason =
  | 'unreachable'
  | 'refused'
  | 'not-permitted'
  | 'not-found'
  | 'invalid'
  | 'busy'
  | 'offline'
  | 'killed'
  | 'gateway-stopped'
  | 'agent-lost'
  | 'gateway-lost'
  | 'expired'
  | 'failed'
  | 'malformed'

/** How a session ended. Texts are the gateway's or the agent's, as they came: control characters are in them. */
export type StreamEnd =
  | {
      readonly kind: 'exited'
      readonly exitCode: number
      /** Empty after an ordinary end. */
      readonly message: string
      /** Bytes of output that the agent left out. */
      readonly truncatedBytes: number
    }
  | { readonly kind: NoExitReason; readonly message: string }

/** The end that the agent, or a gateway in its place, has told. A code that is none is no success. */
export function endOfClose({ exitCode, message, truncatedBytes }: ClosedMessage): StreamEnd {
  if (exitCode === undefined || exitCode < 0) return { kind: 'malformed', message }
  return { kind: 'exited', exitCode, message, truncatedBytes }
}

/** What the end of a stream means on which no close has come. */
export function endOfStream(error: ConnectError, isOpen: boolean): StreamEnd {
  return { kind: reasonOf(error, isOpen), message: error.message }
}

function reasonOf({ status, message }: ConnectError, isOpen: boolean): NoExitReason {
  switch (status) {
    case undefined:
      return isOpen ? 'gateway-lost' : 'unreachable'
    case 'UNAUTHENTICATED':
      return 'refused'
    case 'PERMISSION_DENIED':
      return 'not-permitted'
    case 'NOT_FOUND':
      return 'not-found'
    case 'INVALID_ARGUMENT':
    case 'RESOURCE_EXHAUSTED':
      // A session that was open has run something: no wrong use, whatever the gateway did not take later.
      if (isOpen) return 'failed'
      return /\bat once$|\brunning sessions\b/.test(message) ? 'busy' : 'invalid'
    case 'FAILED_PRECONDITION':
      return /\boffline\b/.test(message) ? 'offline' : 'not-permitted'
    case 'ABORTED':
    case 'DEADLINE_EXCEEDED':
      return 'expired'
    case 'UNIMPLEMENTED':
      return 'malformed'
    default:
      return reasonInWords(message)
  }
}

/** The gateway's own reasons have no status of theirs (protocol.md 4.4, 4.5), and in an answer of REST none has. */
const WORDS: readonly (readonly [RegExp, NoExitReason])[] = [
  [/^agent is offline/, 'offline'],
  [/is disabled for this connection/, 'not-permitted'],
  [/^session killed/, 'killed'],
  [/^(?:agent has disconnected|EOF)$/, 'agent-lost'],
  [/^gateway shutdown/, 'gateway-stopped'],
  [/^reached max timeout/, 'expired'],
]

/** What a gateway has given as its reason means. */
export function reasonInWords(message: string): NoExitReason {
  return WORDS.find(([words]) => words.test(message))?.[1] ?? 'failed'
}
