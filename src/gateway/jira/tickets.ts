import { NO_EXIT_CODE } from '../../basics/exit-code.ts'
import { randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import type { Logger } from '../../basics/logger.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { History } from '../history/history.ts'
import type { NewSession } from '../history/session.ts'
import { refused } from '../refusals/request-refused.ts'
import { newSession, requestBytes, type SessionRequest } from '../sessions/session-request.ts'
import { type Sessions } from '../sessions/sessions.ts'
import type { JiraTemplate } from '../settings/jira.ts'
import { HistoryError } from '../store/errors.ts'
import { JiraError, type Jira, type JiraIssue } from './client.ts'
import { jiraFieldValues, type JiraFieldValues } from './fields.ts'
import type { OrphanedIssue } from './issue-rows.ts'

/**
 * Maximum number of issues that are created in parallel for all users. Further requests would only wait in
 * Jira.
 */
const AT_ONCE = 16
/** Maximum number of requests that wait for an issue. If Jira is slow, further callers are refused early. */
const MAX_WAITING_REQUESTS = 100
/** Maximum bytes of one user's requests that wait for Jira. Running sessions have the same limit. */
const MAX_BYTES_OF_ONE_USER = 128 * 1024 * 1024
/**
 * Maximum length of a stored request. Longer requests are stored without labels and metadata, which may have
 * megabytes.
 */
const MAX_COMMENT_CHARACTERS = 64 * 1024

/** The id and the Jira issue of a session that is about to begin. */
export interface Ticket {
  readonly sid: SessionId
  readonly issue: JiraIssue
}

interface TicketServices {
  /** Returns undefined if the settings have no Jira site. */
  readonly jira: () => Jira | undefined
  readonly history: History
  readonly sessions: Sessions
  readonly linkTo: (sid: string) => string
  readonly log: Logger
}

interface Wanted {
  readonly sid: SessionId
  readonly request: SessionRequest
  readonly template: JiraTemplate
  readonly startedAt: Date
}

/** Creates the issues of sessions before they begin. */
export class Tickets {
  readonly #services: TicketServices
  readonly #id = randomUUID()
  readonly #over = new AbortController()
  readonly #turns = pLimit(AT_ONCE)
  readonly #creating = new Set<Promise<JiraIssue>>()
  /** The requests that wait for Jira. */
  readonly #waiting = new Map<SessionId, { readonly user: string; readonly bytes: number }>()

  constructor(services: TicketServices) {
    this.#services = services
    showOrphanedIssues(services, this.#id)
  }

  /** Cancels waiting requests. Settles when no request uses the history any more. */
  async close(): Promise<void> {
    this.#over.abort()
    await Promise.allSettled(this.#creating)
  }

  /**
   * Creates the issue of a session. Returns undefined if the connection has no template, or if the request
   * would be refused anyway.
   * @param fields `jira_fields` of the caller
   * @throws RequestRefused, HistoryError. After an error, the session must not begin.
   */
  async open(request: SessionRequest, fields: Readonly<Record<string, string>>): Promise<Ticket | undefined> {
    const { jira: template } = request.connection
    if (template === undefined) return undefined
    const preview = this.#services.sessions.preview(request)
    if (preview === undefined) return undefined
    const jira = this.#site()
    const wanted = { sid: randomUUID() as SessionId, request, template, startedAt: new Date() }
    const values = this.#values(wanted, fields, preview)
    const bytes = this.#boundedBytes(request)
    this.#waiting.set(wanted.sid, { user: request.user, bytes })
    try {
      const created = this.#turns(() => this.#create(jira, wanted, values))
      this.#creating.add(created)
      const forget = () => void this.#creating.delete(created)
      created.then(forget, forget)
      return { sid: wanted.sid, issue: await created }
    } finally {
      this.#waiting.delete(wanted.sid)
    }
  }

  /**
   * Logs that a session could not begin although its issue exists. After the next start, the history shows
   * the session as one that has not run. If the session still waits for approval, it keeps its issue, so
   * nothing is logged.
   */
  unused({ sid, issue }: Ticket, error: Error): void {
    if (this.#services.history.isOpen(sid)) return
    const reason = error.message
    this.#services.log.error(
      { sid, issue: issue.key, reason },
      'session did not start; its Jira issue remains',
    )
  }

  /**
   * @throws RequestRefused if a reload has removed the site from the settings while the connection still has
   * a template
   */
  #site(): Jira {
    const jira = this.#services.jira()
    if (jira !== undefined) return jira
    throw refused('jira-failed', { reason: NO_JIRA })
  }

  /** Checks the fields that the template requires. Sends nothing to Jira. @throws RequestRefused */
  check(request: SessionRequest, fields: Readonly<Record<string, string>>): void {
    const { jira: template } = request.connection
    if (template === undefined || this.#services.jira() === undefined) return
    this.#values({ sid: '' as SessionId, request, template, startedAt: new Date() }, fields, {
      script: '',
      reason: '',
    })
  }

  #boundedBytes(request: SessionRequest): number {
    const bytes = requestBytes(request)
    const own = [...this.#waiting.values()].filter(({ user }) => user === request.user)
    if (
      own.reduce((sum, one) => sum + one.bytes, bytes) > MAX_BYTES_OF_ONE_USER ||
      this.#waiting.size >= MAX_WAITING_REQUESTS
    )
      throw refused('too-much-at-once/jira')
    return bytes
  }

  #values(
    { sid, request, template, startedAt }: Wanted,
    fields: Readonly<Record<string, string>>,
    { script, reason }: { readonly script: string; readonly reason: string },
  ): JiraFieldValues {
    const { user, connection } = request
    const { name, type, subtype = '', tags } = connection
    const link = this.#services.linkTo(sid)
    const facts = { id: sid, user, connection: name, tags, type, subtype, script, reason, startedAt, link }
    return jiraFieldValues(template, fields, facts)
  }

  /**
   * Creates an issue. Stores the request before it is sent to Jira. Stores the issue's key before any caller
   * receives the key.
   */
  async #create(jira: Jira, wanted: Wanted, values: JiraFieldValues): Promise<JiraIssue> {
    const { sid, request, template } = wanted
    const { history, log } = this.#services
    this.#over.signal.throwIfAborted()
    const stored = askedIssue(wanted, jira.url, this.#id)
    await history.patiently(() => history.write(({ issues }) => issues.ask(stored)))
    const issue = await this.#asked(sid, jira.create(template, values, this.#over.signal))
    try {
      await history.patiently(() => history.write(({ issues }) => issues.keep(sid, issue)))
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      log.error({ sid, issue: issue.key, user: request.user, error: error.message }, NOT_KEPT)
      throw new HistoryError(`${error.message}; Jira has created ${issue.key}, nothing has run`, {
        cause: error,
      })
    }
    log.info({ sid, issue: issue.key }, 'Jira issue created')
    return issue
  }

  async #asked(sid: SessionId, created: Promise<JiraIssue>): Promise<JiraIssue> {
    try {
      return await created
    } catch (error) {
      if (!(error instanceof JiraError)) throw error
      const { message: reason, isUnsure } = error
      const { history, log } = this.#services
      log[isUnsure ? 'error' : 'warn']({ sid, reason }, isUnsure ? UNSURE : 'Jira issue not created')
      // If the gateway stops and cannot know whether Jira has created the issue, the row stays. After the
      // next start, the history shows it.
      if (!isUnsure || !this.#over.signal.aborted)
        await history.patiently(() => history.write(({ issues }) => issues.forget(sid)))
      throw refused('jira-failed', { reason: isUnsure ? `${reason}; ${UNSURE_HINT}` : reason })
    }
  }
}

const NO_JIRA = 'jira was removed from gateway.yaml'
const NOT_KEPT =
  'a Jira issue was created, but its key could not be written to the history, so nothing has run'
const UNSURE = 'unexpected answer from Jira; an issue without a session may exist'
const UNSURE_HINT = 'Jira may have created an issue nevertheless'

function askedIssue({ sid, request, template, startedAt }: Wanted, site: string, gateway: string) {
  const told = toldOf(newSession(sid, request, () => Buffer.alloc(0)))
  const text = JSON.stringify(told)
  const isLong = text.length > MAX_COMMENT_CHARACTERS
  return {
    session: sid,
    askedAt: startedAt.getTime(),
    gateway,
    request: isLong ? JSON.stringify({ ...told, labels: {}, metadata: {} }) : text,
    site,
    project: template.project_key,
    target: template.issue_transition_name_on_close,
    movesFailed: !template.skip_transition_on_nonzero_exit_code,
  }
}

function toldOf({ origin, verb, connection, connectionType, user, labels, metadata, ...more }: NewSession) {
  const { connectionSubtype, sessionBatchId, correlationId } = more
  const optional = { connectionSubtype, sessionBatchId, correlationId }
  return { origin, verb, connection, connectionType, user, labels, metadata, ...optional }
}

/**
 * If a requested issue has no session, records a session that has not run. So users can find out who has
 * requested the issue. If a record cannot be written now, the next start retries it.
 * @param gateway id of this process
 */
function showOrphanedIssues({ history, log }: Services, gateway: string): void {
  trying(log, () => {
    for (const orphan of history.read(({ issues }) => issues.orphans(gateway)))
      trying(log, () => {
        adopt(history, orphan)
        const { session: sid, key: issue, project } = orphan
        log.warn(
          { sid, issue, project },
          'the gateway stopped between the request to Jira and the start of the session',
        )
      })
  })
}

interface Services {
  readonly history: History
  readonly log: Logger
}

function trying(log: Logger, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error
    log.error(
      { error: error.message },
      'cannot record a Jira issue that has no session; the next start will retry',
    )
  }
}

function adopt(history: History, orphan: OrphanedIssue): void {
  const { session: id, askedAt, request } = orphan
  const startedAt = new Date(askedAt)
  // `askedIssue` has written this JSON, so it needs no validation.
  const told = JSON.parse(request) as Omit<NewSession, 'id' | 'script' | 'startedAt'>
  history.begin({ ...told, id, script: Buffer.alloc(0), startedAt })
  history.append(id, 'e', Buffer.from(textOf(orphan)), 0)
  history.finish(id, { exitCode: NO_EXIT_CODE, truncatedBytes: 0, endedAt: startedAt })
}

function textOf({ key, project, askedAt }: OrphanedIssue): string {
  if (key !== null)
    return `gateway stopped before the session began: nothing has run. The Jira issue of the session is ${key}`
  const when = new Date(askedAt).toISOString()
  return `gateway stopped while it asked Jira for an issue: nothing has run. Jira may have created an issue in ${project} at ${when}`
}
