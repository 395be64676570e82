import { onAbort } from '../../basics/abort.ts'
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Current, AgentSettings } from '../settings/settings.ts'
import type { SignInAttempts } from '../people/identities/sign-in-attempts.ts'
import type { AgentStream } from './agent-stream.ts'
import type { Arrival, Departure, Presence } from './presence.ts'

/** The result of an agent's sign-in. `transport.ts` has the error texts. */
type Authentication =
  | { readonly kind: 'agent'; readonly agent: AgentSettings }
  /** `claimed`: the name that the caller gives itself. */
  | { readonly kind: 'unknown'; readonly claimed: string }
  | { readonly kind: 'held-up'; readonly seconds: number }
  | { readonly kind: 'name-differs' }

/**
 * `left`: the agent announced its end, or is no longer in the settings. `never`: the agent has not connected
 * since the gateway started.
 */
type AgentState = 'connected' | 'draining' | 'left' | 'lost' | 'never'

/** Maximum length of a name that a caller without a key claims, in characters. */
const MAX_CLAIM_CHARACTERS = 100
/** The newest sign-in with a wrong key by a caller who claims to be the agent. */
interface Refusal {
  readonly at: Date
  readonly from: string
}

/** Maximum number of leaving streams per agent. An agent that restarts several times in a row has several. */
const MAX_LEAVING_STREAMS = 16

/** Each agent has one stream for new sessions, and may have leaving streams with old sessions. */
export class Agents {
  readonly #settings: Current<'agents'>
  readonly #attempts: SignInAttempts
  readonly #online = new Map<string, AgentStream>()
  readonly #leaving = new Set<AgentStream>()
  readonly #presences = new Map<string, Presence>()
  /** At most one for each agent of the settings: callers can claim any name. */
  readonly #refusals = new Map<string, Refusal>()
  readonly #waiting = new Set<() => void>()
  #stopsAt: Date | undefined

  constructor(settings: Current<'agents'>, attempts: SignInAttempts) {
    this.#settings = settings
    this.#attempts = attempts
  }

  /**
   * @param authorization the agent's whole key, `scheme://name:secret@host:port`. The gateway stores only the
   * hash of the secret.
   */
  authenticate(authorization: string | undefined, from: string): Authentication {
    const url = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1]
    const { name, secret } = partsOf(url ?? '')
    const agent = this.#known.find(({ keySha256 }) => isSameKey(secret, keySha256))
    const credential = `agent ${agent?.keySha256.toString('hex') ?? ''}`
    if (agent === undefined || this.#attempts.holdsUp(from, credential)) return this.#failed(from, name)
    this.#attempts.accepted(from, credential)
    if (agent.name === name) return { kind: 'agent', agent }
    this.#noteRefusal(from, name)
    return { kind: 'name-differs' }
  }

  get names(): readonly string[] {
    return this.#known.map(({ name }) => name)
  }

  get connected(): number {
    return this.#online.size
  }

  /** @returns false when this agent already has a stream, or too many leaving streams */
  connect(stream: AgentStream, arrival: Arrival): boolean {
    const leaving = [...this.#leaving].filter(({ name }) => name === stream.name)
    if (this.#online.has(stream.name) || leaving.length >= MAX_LEAVING_STREAMS) return false
    this.#online.set(stream.name, stream)
    this.#presences.set(stream.name, { arrival, since: new Date() })
    this.#refusals.delete(stream.name)
    this.#wakeAll()
    return true
  }

  /** @param reason end reason of the sessions that end with the stream */
  disconnect(stream: AgentStream, why: Departure, reason: string): void {
    this.drains(stream, why)
    this.#leaving.delete(stream)
    stream.end(reason)
  }

  /** Time at which the stopping gateway ends the running sessions. */
  get stopsAt(): Date | undefined {
    return this.#stopsAt
  }

  /** Tells the agents when their commands end. Agents that connect later are told when they connect. */
  tellStop(stopsAt: Date): void {
    this.#stopsAt = stopsAt
    for (const stream of this.#online.values()) stream.send({ kind: 'gateway-draining', stopsAt })
  }

  /** Marks the agent as leaving. New sessions wait for the next agent with this name. */
  drains(stream: AgentStream, why: Departure): void {
    if (this.#online.get(stream.name) === stream) this.#away(stream, why)
  }

  /**
   * Retires agents whose name or key is no longer in the settings. Their streams end after the last session.
   * An agent with the new key can connect at once.
   */
  retireUnknown(): void {
    for (const name of this.#refusals.keys()) if (!this.names.includes(name)) this.#refusals.delete(name)
    for (const stream of [...this.#online.values(), ...this.#leaving]) {
      if (this.#known.some((known) => isSameAgent(known, stream.agent))) continue
      this.drains(stream, 'retired')
      void stream.retire()
    }
  }

  presence(name: string): Presence | undefined {
    return this.#presences.get(name)
  }

  /** Undefined after the agent has connected with the right key. */
  refusal(name: string): Refusal | undefined {
    return this.#refusals.get(name)
  }

  state(name: string): AgentState {
    if (this.isOnline(name)) return 'connected'
    if (this.#streamsOf(name).length > 0) return 'draining'
    const why = this.#presences.get(name)?.left?.why
    if (why === undefined) return 'never'
    return why === 'drained' || why === 'retired' ? 'left' : 'lost'
  }

  /** Includes the sessions of leaving streams. */
  sessionCount(name: string): number {
    return this.#streamsOf(name).reduce((sum, { sessionCount }) => sum + sessionCount, 0)
  }

  isOnline(name: string): boolean {
    return this.#online.has(name)
  }

  /** Returns undefined when the agent does not connect in time, or `signal` aborts. */
  async waitFor(name: string, ms: number, signal: AbortSignal): Promise<AgentStream | undefined> {
    const end = performance.now() + ms
    using _ = onAbort(signal, () => this.#wakeAll())
    while (!this.#online.has(name) && performance.now() < end && !signal.aborted) {
      await this.#change(end - performance.now())
    }
    return signal.aborted ? undefined : this.#online.get(name)
  }

  #streamsOf(name: string): readonly AgentStream[] {
    return [...this.#online.values(), ...this.#leaving].filter((stream) => stream.name === name)
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  #away(stream: AgentStream, why: Departure): void {
    const { name } = stream
    this.#online.delete(name)
    this.#leaving.add(stream)
    const presence = this.#presences.get(name)
    if (presence !== undefined) this.#presences.set(name, { ...presence, left: { at: new Date(), why } })
  }

  #failed(from: string, name: string): Authentication {
    const claimed = name.slice(0, MAX_CLAIM_CHARACTERS).replace(/\p{C}/gu, '?')
    const seconds = this.#attempts.refused(from, claimed || undefined)
    if (seconds !== undefined) return { kind: 'held-up', seconds }
    this.#noteRefusal(from, name)
    return { kind: 'unknown', claimed }
  }

  #noteRefusal(from: string, name: string): void {
    if (this.names.includes(name)) this.#refusals.set(name, { at: new Date(), from })
  }

  get #known(): readonly AgentSettings[] {
    return this.#settings.value.agents
  }

  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done)
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#waiting.add(done)
    })
  }
}

function isSameAgent(one: AgentSettings, other: AgentSettings): boolean {
  return one.name === other.name && one.keySha256.equals(other.keySha256)
}

/** Returns empty strings for a malformed credential. An empty secret matches no hash. */
function partsOf(url: string): { name: string; secret: string } {
  try {
    const { username, password } = new URL(url)
    return { name: decodeURIComponent(username), secret: decodeURIComponent(password) }
  } catch {
    return { name: '', secret: '' }
  }
}

/** Compares in constant time, over hashes of equal length. */
export function isSameKey(secret: string, sha256: Buffer): boolean {
  return timingSafeEqual(createHash('sha256').update(secret).digest(), sha256)
}
