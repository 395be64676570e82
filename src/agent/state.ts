import type { Logger } from '../basics/logger.ts'
import type { ConnectError } from '../dial/connect-error.ts'
import type { Stall } from '../dial/packet-stream.ts'
import type { Moment } from '../dial/health.ts'

export type AgentPhase =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting' }
  /** Only with `mode=embedded`: no session waits for this agent. The reason is often empty. */
  | { readonly name: 'polling'; readonly reason: string }
  | { readonly name: 'serving' }
  /**
   * The agent waits `ms` milliseconds. `waiting`: the stream was lost or not opened. `conflict`: the gateway
   * already has a stream with this key. `refused`: the gateway does not accept the key.
   */
  | { readonly name: 'waiting' | 'conflict' | 'refused'; readonly reason: string; readonly ms: number }
  | { readonly name: 'draining' }
  | { readonly name: 'stopped' }

/** What the agent does now, for status, metrics and probes. */
export type AgentState = AgentPhase & {
  readonly since: Moment
  /** `host:port` */
  readonly gateway: string
  /** Number of streams that the gateway accepted after the first. */
  readonly reconnects: number
}

export function between(error: ConnectError, ms: number): AgentPhase {
  switch (error.kind) {
    case 'refused':
      return {
        name: 'refused',
        reason: refusalWords(error),
        ms,
      }
    case 'conflict':
      return {
        name: 'conflict',
        reason: `${error.message}: another agent uses this key, or the gateway still has this agent's last stream`,
        ms,
      }
    case 'lost':
      return { name: 'waiting', reason: error.message, ms }
  }
}

const STALLED =
  'the gateway reads no output, so all sessions wait. Usually a client of the gateway does not read its output. Nothing is lost'

/**
 * Logs each state. While the same conflict continues, its attempts are logged only once per
 * `conflictEveryMs`, and otherwise at level debug.
 */
export class StateLog {
  readonly #log: Logger
  readonly #conflictEveryMs: number
  #conflictSaidAt: number | undefined
  #isStalled = false

  constructor(log: Logger, conflictEveryMs: number) {
    this.#log = log
    this.#conflictEveryMs = conflictEveryMs
  }

  tell(state: AgentState): void {
    if (state.name !== 'draining') this.#isStalled = false
    const { name, gateway, since } = state
    const level = this.#isRepetition(name, since.monotonicMs) ? 'debug' : levelOf(name)
    const reason = 'reason' in state ? { reason: state.reason } : {}
    const wait = 'ms' in state ? { ms: state.ms } : {}
    this.#log[level]({ gateway, state: name, ...reason, ...wait }, `agent ${name}`)
  }

  /** Returns whether the gateway has stopped reading output, or reads it again. */
  tellStall(stall: Stall | undefined): boolean {
    const isStalled = stall !== undefined
    if (isStalled === this.#isStalled) return false
    this.#isStalled = isStalled
    if (isStalled) this.#log.warn({ bytes: stall.bytes, ms: Math.round(stall.ms) }, STALLED)
    else this.#log.info({}, 'the gateway reads output again')
    return true
  }

  #isRepetition(name: AgentState['name'], at: number): boolean {
    if (name === 'connecting') return this.#conflictSaidAt !== undefined
    const said = this.#conflictSaidAt
    if (name !== 'conflict') this.#conflictSaidAt = undefined
    else if (said === undefined || at - said >= this.#conflictEveryMs) this.#conflictSaidAt = at
    else return true
    return false
  }
}

function levelOf(name: AgentState['name']): 'info' | 'warn' {
  return name === 'waiting' || name === 'conflict' || name === 'refused' ? 'warn' : 'info'
}

function refusalWords({ code, message }: ConnectError): string {
  if (code === 'agent-certificate-refused') return `the gateway refuses this agent: ${message}`
  if (code === 'gateway-superseded') return `this agent has met a newer gateway of this state: ${message}`
  if (code === 'too-many-failed-sign-ins')
    return `the gateway rejects all keys from this address for a while: ${message}. Too many wrong keys or tokens were sent from this address`
  return `the gateway refuses this key: ${message}. Check the key and the agent's name at the gateway`
}
