import type { Logger } from '../../basics/logger.ts'
import type { History } from '../history/history.ts'
import type { SessionSummary } from '../history/session.ts'
import type { AccessToken } from '../identity.ts'
import type { Tokens } from '../people/identities/tokens.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import type { Reviews } from '../reviews/reviews.ts'
import { MCP_TOKEN_LABEL } from '../sessions/mcp-labels.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { HistoryError } from '../store/errors.ts'

/** A pause or a revocation reaches calls and sessions within this time. */
const CHECK_MS = 250
const MAX_CALLS_OF_ONE_TOKEN = 20
/** Open sessions that one step reads at the start. */
const STEP = 200

interface LeashServices {
  readonly history: History
  readonly users: Users
  readonly tokens: Pick<Tokens, 'find'>
  readonly sessions: Sessions
  readonly reviews: Reviews
  readonly log: Logger
}

interface OpenCall {
  readonly token: AccessToken
  readonly end: (reason: string) => void
}

/** What a call is told when it may not go on. */
export interface Hold extends Disposable {
  /** Aborts when the token is paused or no longer accepted, or when the gateway closes. */
  readonly signal: AbortSignal
  /** Why `signal` has aborted. */
  readonly reason: string
}

/**
 * Holds the calls and the sessions of tokens for mcp. When a token is paused or revoked, its calls are answered, its
 * runs end, and its requests are withdrawn. One timer looks at all tokens, so that no change is missed.
 */
export class Leash {
  readonly #services: LeashServices
  readonly #calls = new Set<OpenCall>()
  readonly #sessions = new Map<string, { readonly token: string; readonly user: string }>()
  readonly #timer: NodeJS.Timeout

  /** Sessions of an earlier gateway may still wait for approval, so they are held, too. */
  constructor(services: LeashServices) {
    this.#services = services
    for (const session of openSessions(services.history)) this.follow(session)
    this.#timer = setInterval(() => this.#check(), CHECK_MS).unref()
  }

  /** Says why the tools of this token refuse, or returns undefined. */
  obstacle(token: AccessToken): string | undefined {
    const { users } = this.#services
    return users.refusal(token) ?? users.pauseOf(token)
  }

  /** @throws RequestRefused if the token has too many calls */
  begin(token: AccessToken): Hold {
    const own = [...this.#calls].filter((call) => call.token.id === token.id)
    if (own.length >= MAX_CALLS_OF_ONE_TOKEN) throw refused('too-much-at-once/calls', { count: own.length })
    const over = new AbortController()
    const call = { token, end: (reason: string) => over.abort(reason) }
    this.#calls.add(call)
    return {
      signal: over.signal,
      get reason() {
        return String(over.signal.reason)
      },
      [Symbol.dispose]: () => void this.#calls.delete(call),
    }
  }

  follow({ id, user, labels }: Pick<SessionSummary, 'id' | 'user' | 'labels'>): void {
    const { [MCP_TOKEN_LABEL]: token } = labels
    if (token !== undefined) this.#sessions.set(id, { token, user })
  }

  /** Answers all calls. The sessions go on. */
  close(reason: string): void {
    clearInterval(this.#timer)
    for (const { end } of this.#calls) end(reason)
  }

  #check(): void {
    for (const { token, end } of this.#calls) {
      const obstacle = this.obstacle(token)
      if (obstacle !== undefined) end(obstacle)
    }
    for (const [id, { token, user }] of this.#sessions) {
      if (!this.#services.history.isOpen(id)) this.#sessions.delete(id)
      else this.#endIfNeeded(id, token, user)
    }
  }

  /** A token that expires ends no run: its requests were permitted when they were made. */
  #endIfNeeded(id: string, tokenId: string, user: string): void {
    const { users, tokens, sessions, reviews, log } = this.#services
    const token = tokens.find(tokenId)
    const obstacle = users.obstacle(users.named(user))
    const reason =
      token === undefined
        ? 'the token was removed'
        : (users.withdrawal(token) ?? (obstacle && `${user} ${obstacle}`))
    if (reason === undefined) return
    try {
      if (!sessions.end(id, 'token-ended', reason)) reviews.cancel(id, reason, user)
    } catch (error) {
      // The next look tries again.
      if (!(error instanceof HistoryError)) throw error
      log.warn({ sid: id, error: error.message }, 'cannot withdraw a request of a machine; will retry')
    }
  }
}

function* openSessions(history: History): Generator<SessionSummary> {
  const open = { outcomes: ['waiting', 'approved', 'running'], kind: 'runbook', count: 'none' } as const
  for (let offset = 0; ; offset += STEP) {
    const page = history.list({ ...open, limit: STEP, offset })
    for (const { id } of page.sessions) {
      // A list leaves out long labels.
      const session = history.session(id)
      if (session !== undefined) yield session
    }
    if (!page.hasMore) return
  }
}
