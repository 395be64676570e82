import { MAX_LISTS } from '../../../template/options-from.ts'
import { parseTemplate, TemplateError, type RenderedTemplate } from '../../../template/runbook.ts'
import type { History } from '../../history/history.ts'
import type { GatewayUser } from '../../identity.ts'
import { refused, RequestRefused } from '../../refusals/request-refused.ts'
import { RunbookError } from '../../refusals/runbook-errors.ts'
import { reviewRule } from '../../reviews/rules.ts'
import { requestBytes, type SessionRequest } from '../../sessions/session-request.ts'
import type { GatewaySession } from '../../sessions/session.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import type { ConnectionSettings } from '../../settings/settings.ts'
import { checkRunbookAccess, repositoryNamed, type RunbookServices } from '../runbook-access.ts'
import { choiceBytes, ListRefused, MAX_BYTES, MAX_LINES, readChoices, type Choice } from './choice-list.ts'

/** How long a list may run, with all its waits. */
const MAX_RUN_MS = 5000
/** Together, for all users. The copy that was used least recently is dropped. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024
/** A gateway reads at most this many lists at once, so their output stays below 50 MiB. */
const MAX_RUNNING_LISTS = 200

/** Which list, and for whom. The list runs as the user, so two users may see different values. */
export interface AskedList extends Pick<SessionRequest, 'clientIp' | 'askedWith'> {
  readonly user: GatewayUser
  readonly connection: ConnectionSettings
  /** Full id of the commit of the runbook. */
  readonly commit: string
  /** Path of the list's file. */
  readonly list: string
}

export interface ReadList {
  readonly choices: readonly Choice[]
  /** Id of the session that has read the list. */
  readonly session: string
  /** When the session began, on the monotonic clock. The values are at least as new as this time. */
  readonly at: number
  readonly readAt: Date
}

interface ListServices extends RunbookServices {
  readonly sessions: Sessions
  readonly history: History
}

interface Running {
  readonly user: string
  readonly connection: ConnectionSettings
  readonly at: number
  readonly list: Promise<ReadList>
}

interface Kept {
  readonly list: ReadList
  readonly bytes: number
  /** A reload replaces the settings of a connection, whose database may then be another one. */
  readonly connection: ConnectionSettings
}

/**
 * Reads the lists of values that runbooks name. A list is a runbook. It runs in a recorded session of the
 * user, once at a time for each list, connection and user: callers that ask meanwhile get the same answer.
 */
export class ChoiceLists {
  readonly #services: ListServices
  readonly #now: () => number
  readonly #running = new Map<string, Running>()
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  /** @param now monotonic clock, in ms */
  constructor(services: ListServices, now: () => number = () => performance.now()) {
    this.#services = services
    this.#now = now
  }

  /** Returns the newest copy if it is young enough. Runs nothing. */
  kept(asked: AskedList, maxAgeMs: number): ReadList | undefined {
    const key = keyOf(asked)
    const kept = this.#kept.get(key)
    if (kept?.connection !== asked.connection) return undefined
    if (this.#now() - kept.list.at > maxAgeMs) return undefined
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    return kept.list
  }

  /**
   * Returns a copy that is young enough, or runs the list.
   * @throws RequestRefused `choices-failed` if the list cannot be read; HistoryError
   */
  read(asked: AskedList, maxAgeMs: number): Promise<ReadList> {
    const kept = this.kept(asked, maxAgeMs)
    if (kept !== undefined) return Promise.resolve(kept)
    const key = keyOf(asked)
    const running = this.#running.get(key)
    const isSame = running?.connection === asked.connection
    if (running !== undefined && isSame && this.#now() - running.at <= maxAgeMs) return running.list
    // The caller needs newer values than those of the running session, or those of the connection after a reload.
    if (running !== undefined)
      return running.list.catch(() => undefined).then(() => this.read(asked, maxAgeMs))
    return this.#begin(key, asked)
  }

  #begin(key: string, asked: AskedList): Promise<ReadList> {
    this.#checkRoom(asked.user.name)
    const at = this.#now()
    const list = this.#run(asked, at)
      .then((read) => {
        this.#keep(key, { list: read, bytes: choiceBytes(read.choices), connection: asked.connection })
        return read
      })
      .finally(() => this.#running.delete(key))
    this.#running.set(key, { user: asked.user.name, connection: asked.connection, at, list })
    return list
  }

  #checkRoom(user: string): void {
    const own = [...this.#running.values()].filter((one) => one.user === user).length
    if (this.#running.size < MAX_RUNNING_LISTS && own < MAX_LISTS) return
    throw refused('too-much-at-once/lists', { most: MAX_RUNNING_LISTS, mostOfOneUser: MAX_LISTS })
  }

  #keep(key: string, kept: Kept): void {
    this.#drop(key)
    this.#kept.set(key, kept)
    this.#bytes += kept.bytes
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= MAX_KEPT_BYTES) break
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0
    this.#kept.delete(key)
  }

  async #run(asked: AskedList, at: number): Promise<ReadList> {
    const { history, sessions } = this.#services
    const readAt = new Date()
    const request = await this.#request(asked)
    const session = await history.patiently(() => sessions.open(request), requestBytes(request))
    const output = await this.#output(asked, session, request.script)
    try {
      return { choices: readChoices(output), session: session.sid, at, readAt }
    } catch (error) {
      throw error instanceof ListRefused ? failed(asked, error.message, session.sid) : error
    }
  }

  /** @throws RequestRefused */
  async #request(asked: AskedList): Promise<SessionRequest> {
    const { user, connection, list, commit, clientIp, askedWith } = asked
    const named = connection.runbooks?.repository
    const base = { connection, origin: 'client-api-runbooks', verb: 'exec' } as const
    explained(asked, () => checkRunbookAccess(connection, named, list))
    if (reviewRule(base, user.groups, list) !== undefined)
      throw failed(
        asked,
        `runs of ${list} need approval on connection ${connection.name}; exempt the lists: runbooks.review: [{path: ${list}, groups: []}]`,
      )
    const { repository, key } = repositoryNamed(this.#services, named)
    const { bytes, env } = rendered(asked, await readText(asked, () => repository.readFile(list, commit)))
    return {
      ...base,
      user: user.name,
      script: bytes,
      envVars: env,
      ...{ clientArgs: [], bringsInput: false, metadata: {}, isList: true, clientIp, askedWith },
      labels: {
        runbookFile: list,
        runbookCommit: commit,
        runbookParameters: '{}',
        runbookRepository: key,
      },
    }
  }

  /** Returns stdout. Ends a session that takes too long or writes too much. @throws RequestRefused */
  async #output(asked: AskedList, session: GatewaySession, script: Buffer): Promise<Buffer> {
    const late = setTimeout(() => {
      const wait = this.#services.sessions.agentWait(session.sid)
      const why = wait === undefined ? '' : `: agent ${wait.agent} is not connected`
      session.fail('choices-failed', `the list did not end within ${MAX_RUN_MS / 1000} s${why}`)
    }, MAX_RUN_MS)
    try {
      const output = new BoundedOutput()
      for await (const message of session.run()) {
        if (message.kind === 'opened') session.exec(script)
        else if (message.kind === 'stdout' && !output.add(message.data))
          session.fail(
            'choices-failed',
            `the output has more than ${MAX_LINES} lines or ${MAX_BYTES / 1024} KiB`,
          )
      }
      const problem = problemOf(await session.ended)
      if (problem !== undefined) throw failed(asked, problem, session.sid)
      return output.bytes
    } finally {
      clearTimeout(late)
    }
  }
}

/** The user is in the key, because the rights of the user decide what the list shows. */
function keyOf({ user, connection, commit, list }: AskedList): string {
  return JSON.stringify([user.name, connection.name, connection.runbooks?.repository, commit, list])
}

const NEWLINE = 0x0a

class BoundedOutput {
  readonly #pieces: Buffer[] = []
  #bytes = 0
  #lines = 0

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  /** @returns false if the output is too large */
  add(data: Buffer): boolean {
    this.#bytes += data.length
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, at + 1)) this.#lines += 1
    if (this.#bytes > MAX_BYTES || this.#lines > MAX_LINES) return false
    this.#pieces.push(data)
    return true
  }
}

type Ending = Awaited<GatewaySession['ended']>

function problemOf({
  failure,
  exitCode,
  closed,
  truncatedBytes,
  brokenRules = [],
}: Ending): string | undefined {
  if (failure !== undefined) return failure.reason
  if (brokenRules.length > 0 || (closed?.guardrails ?? []).length > 0) return 'a guardrail blocked the list'
  if (exitCode !== 0) return `the list ended with exit code ${exitCode}`
  return truncatedBytes > 0 ? 'the agent has cut the output of the list' : undefined
}

async function readText(asked: AskedList, read: () => Promise<{ readonly text: string }>): Promise<string> {
  try {
    return (await read()).text
  } catch (error) {
    throw error instanceof RunbookError ? failed(asked, error.message) : error
  }
}

/** A list has no parameters: everybody who may choose from the list gets the same list. */
function rendered(asked: AskedList, text: string): RenderedTemplate {
  try {
    const template = parseTemplate(text)
    if (template.inputs.length + template.inBlocks.length > 0)
      throw failed(asked, 'a list must not have parameters')
    return template.render(new Map())
  } catch (error) {
    throw error instanceof TemplateError ? failed(asked, error.message) : error
  }
}

function explained(asked: AskedList, check: () => void): void {
  try {
    check()
  } catch (error) {
    throw error instanceof RequestRefused ? failed(asked, error.message) : error
  }
}

function failed({ list }: AskedList, reason: string, session?: string): RequestRefused {
  if (session === undefined) return refused('choices-failed/list', { list, reason })
  const choices = { session_id: session }
  return refused('choices-failed/session', { list, reason, session }, { choices })
}
