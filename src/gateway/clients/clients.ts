import { type Logger, RepeatedWarnings } from '../../basics/logger.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { History } from '../history/history.ts'
import { HistoryError } from '../store/errors.ts'
import type { ClientCall } from '../agents/client-call.ts'
import { type Ticket, type Tickets } from '../jira/tickets.ts'
import { checkReason } from '../executions/reason.ts'
import { reviewRule } from '../reviews/rules.ts'
import type { GatewaySession } from '../sessions/session.ts'
import { requestBytes } from '../sessions/session-request.ts'
import { Turns } from '../../basics/turns.ts'
import type { LiveUses } from '../people/identities/token-uses.ts'
import type { Users } from '../people/identities/users.ts'
import { auditFacts } from '../../contract/audit-entry.ts'
import type { AuditLog } from '../people/audit/audit-log.ts'
import type { SignedIn } from '../identity.ts'
import { admit, signIn, opening, type Opening } from './admission.ts'
import { Approvals, inTime, type ApprovalServices, type ClientStream } from './approvals.ts'
import { Client, StreamRefused, Unread, streamRefusal } from './client.ts'

/** Maximum number of streams. Each stream uses memory here, and runs a command on an agent. */
const MAX_CLIENTS = 500
/** Maximum number of streams per user. It keeps the idle clients of one user from taking all streams. */
const MAX_OF_ONE_USER = 250
/** Maximum number of characters of a client's header or of an error in the audit log. */
const MAX_AUDITED = 500
/** Opening packets that are read in parallel per user. Each packet may have 17 MiB. */
const OPENINGS = 8

interface ClientServices extends ApprovalServices {
  readonly users: Users
  readonly live: LiveUses
  readonly tickets: Tickets
  readonly audit: Pick<AuditLog, 'noteOnce'>
  readonly history: Pick<History, 'patiently'>
  readonly log: Logger
}

/** Serves streams of command line clients. Each stream is one session (protocol.md 4.2, 4.3). */
export class Clients {
  readonly #services: ClientServices
  /** The open calls. The value is the user's name after the sign-in, and undefined before. */
  readonly #calls = new Map<ClientCall, string | undefined>()
  readonly #signedIn = new WeakMap<ClientCall, SignedIn>()
  readonly #unread: Unread
  readonly #openings = new Turns(OPENINGS)
  readonly #approvals: Approvals
  readonly #warnings: RepeatedWarnings

  constructor(services: ClientServices) {
    this.#services = services
    this.#warnings = new RepeatedWarnings(services.log)
    this.#approvals = new Approvals(services)
    this.#unread = new Unread(this.#calls)
  }

  get count(): number {
    return this.#calls.size
  }

  /** Serves a client until its stream is over. Never rejects. */
  async serve(call: ClientCall): Promise<void> {
    this.#calls.set(call, undefined)
    // A client that leaves while it waits for an approval no longer counts.
    void call.over.then(() => this.#calls.delete(call))
    try {
      await this.#converse(call)
    } catch (error) {
      this.#refuse(call, streamRefusal(error as Error))
    }
    await call.over
  }

  /** Ends the streams that have no session. `Sessions` has already ended the other streams. */
  close(): void {
    for (const call of this.#calls.keys()) call.fail('gateway-stopped', hoopWords.gatewayShutdown)
  }

  async #converse(call: ClientCall): Promise<void> {
    if (this.#calls.size > MAX_CLIENTS)
      throw new StreamRefused(
        'too-many-clients',
        `too many clients: this gateway serves at most ${MAX_CLIENTS} at once; try again later`,
      )
    const signedIn = signIn(call, this.#services.users)
    this.#signedIn.set(call, signedIn)
    const admission = admit(call, this.#services.users, signedIn)
    this.#count(call, admission.user.name)
    let ended: (reason: string) => void = () => undefined
    const use = this.#services.live.begin(admission.token, (reason) => {
      ended(reason)
      call.fail('token-ended', reason)
    })
    void call.over.then(() => use[Symbol.dispose]())
    const packets = call.packets()
    const { name } = admission.user
    const asked = await inTime(call, () => this.#openings.run(name, () => opening(packets, admission)))
    if (asked === undefined) {
      call.end()
      return
    }
    checkReason(asked.request)
    const ticket = await this.#ticket(asked)
    const request = { ...asked.request, sid: ticket?.sid }
    const stream = { call, packets, user: admission.user }
    const session = await this.#session(stream, { ...asked, request }).catch((error: unknown) => {
      if (ticket !== undefined) this.#services.tickets.unused(ticket, error as Error)
      throw error
    })
    if (session === undefined) return
    // When the token ends, the session must know the reason. Otherwise a port would end as if the client had
    // closed it.
    if (request.port !== undefined) ended = (reason) => session.fail('token-ended', reason)
    await new Client(call, packets, { request, session }, this.#unread).serve()
  }

  /**
   * Opens the Jira issue of the session. Clients cannot send fields, so a session with required fields is
   * refused.
   * @throws RequestRefused
   */
  #ticket({ request }: Opening): Promise<Ticket | undefined> {
    return this.#services.tickets.open(request, {})
  }

  /** Returns undefined if the session was not approved. */
  async #session(stream: ClientStream, asked: Opening): Promise<GatewaySession | undefined> {
    const { request } = asked
    const rule = reviewRule(request, stream.user.groups)
    const { history, sessions } = this.#services
    if (rule === undefined) return history.patiently(() => sessions.open(request), requestBytes(request))
    return this.#approvals.session(stream, asked, rule)
  }

  /** Counts the stream for its user. @throws StreamRefused if the user has too many streams */
  #count(call: ClientCall, user: string): void {
    const others = [...this.#calls.values()].filter((name) => name === user)
    if (others.length >= MAX_OF_ONE_USER)
      throw new StreamRefused(
        'too-many-clients',
        `too many clients: this gateway serves at most ${MAX_OF_ONE_USER} per user at once; end some of your clients first`,
      )
    this.#calls.set(call, user)
  }

  #refuse(call: ClientCall, error: Error): void {
    const { log } = this.#services
    this.#audit(call, error)
    if (error instanceof StreamRefused) {
      const { code, message: reason } = error
      // The client can write anything into this header, so the name is shortened.
      const connection = call.header('connection-name')?.slice(0, 100)
      this.#warnings.warn({ connection, code, reason }, 'client refused')
      return call.fail(code, reason)
    }
    if (error instanceof HistoryError)
      return call.fail(error.noRoom === undefined ? 'history-failed' : 'history-no-room', error.message)
    log.error({ error: error.message, stack: error.stack }, 'client failed: this is a bug')
    call.fail('internal-error', 'internal error')
  }
  /**
   * Records why a client was refused. Failed sign-ins are not recorded here, because `signIn` counts them.
   */
  #audit(call: ClientCall, { message }: Error): void {
    const signedIn = this.#signedIn.get(call)
    if (signedIn === undefined) return
    const { user, token } = signedIn
    const [connection, verb] = ['connection-name', 'verb'].map((name) =>
      call.header(name)?.slice(0, MAX_AUDITED),
    )
    this.#services.audit.noteOnce(
      auditFacts({
        actor: user.name,
        token_id: token.id,
        token_name: token.name,
        client_ip: call.ip,
        action: 'execute',
        resource_type: 'sessions',
        outcome: false,
        error_message: message.slice(0, MAX_AUDITED).toWellFormed(),
        request_payload_redacted: { connection, verb, origin: 'client' },
      }),
    )
  }
}
