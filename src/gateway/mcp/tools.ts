import { printableText } from '../../basics/text/printable.ts'
import { Turns } from '../../basics/turns.ts'
import type { RunbookBody } from '../../contract/executions.ts'
import type { ChoiceLists } from '../executions/choices/choice-lists.ts'
import { offeredChoices } from '../executions/choices/offered-choices.ts'
import { checkAlone } from '../executions/pairs.ts'
import {
  executeOrAsk,
  stopSession,
  type ReviewedExecutionServices,
} from '../executions/reviewed-execution.ts'
import type { RunbookServices } from '../executions/runbook-access.ts'
import { readRunbook } from '../executions/runbook-execution.ts'
import { previewRunbook } from '../executions/runbook-preview.ts'
import type { History } from '../history/history.ts'
import type { SessionSummary } from '../history/session.ts'
import type { AccessToken, GatewayUser } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import { reviewRule } from '../reviews/rules.ts'
import type { RequestVault } from '../reviews/vault.ts'
import { NO_WAIT, type ScriptExecution } from '../sessions/executions.ts'
import {
  MCP_ARGUMENTS_LABEL,
  MCP_CLIENT_LABEL,
  MCP_TOKEN_LABEL,
  MCP_TOOL_LABEL,
  mcpOrigin,
} from '../sessions/mcp-labels.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import {
  ArgumentsWrong,
  checkNames,
  foundRunbooks,
  readRunArguments,
  type FixedTool,
  type RunArguments,
} from './definitions.ts'
import type { Hold, Leash } from './leash.ts'
import type { RunbookTool } from './offer.ts'
import type { Fields } from './protocol.ts'
import { listedRun, NOTHING, outputResult, refusedResult, sessionResult, type ToolResult } from './results.ts'

/** Clients give up after 60 s. */
const WAIT_MS = 45_000
/** A stopping gateway is noticed within this time. */
const LOOK_MS = 1000
/** Number of sessions with one correlation id that are read at a time. */
const SAME_ID_SESSIONS = 20
const KEY_MS = 24 * 60 * 60 * 1000
/** Requests of a machine that wait for approval: people have to read each of them. */
const MAX_WAITING = 5
const LISTED_RUNS = 20
/** Newest runs of the machine that are searched for those that began by a tool. */
const MAX_SEARCHED_RUNS = 500
const MAX_SHOWN_CHOICES = 100
const MAX_SCRIPT_CHARACTERS = 24 * 1024
/** People read this before the text of a machine, wherever the reason of a request is shown. */
const BY_MACHINE = '(written by a machine)'

export interface ToolServices extends ReviewedExecutionServices, RunbookServices {
  readonly history: History
  readonly sessions: Sessions
  readonly users: Users
  readonly vault: RequestVault
  readonly lists: ChoiceLists
}

/** A call of a tool, by a machine that may use /mcp. */
export interface ToolCall {
  readonly user: GatewayUser
  readonly token: AccessToken
  readonly clientIp: string
  /** What the client says that it is. */
  readonly claim: string
  readonly hold: Hold
  /** Aborts when the client has closed the connection. */
  readonly gone: AbortSignal
  readonly given: Fields
}

interface Started {
  readonly id: string
  /** True if an earlier call began the session. */
  readonly isRepeated: boolean
}

/** Runs tools. Rules, approvals, budgets and records are those of a request over REST. */
export class Tools {
  readonly #services: ToolServices
  readonly #leash: Leash
  readonly #turns = new Turns(1)

  constructor(services: ToolServices, leash: Leash) {
    this.#services = services
    this.#leash = leash
  }

  /** @throws ArgumentsWrong, RequestRefused, HistoryError */
  async fixed(
    name: FixedTool,
    call: ToolCall,
    tools: () => Promise<readonly RunbookTool[]>,
  ): Promise<ToolResult> {
    const { history } = this.#services
    const { user, given } = call
    switch (name) {
      case 'find_runbook':
        return { ...NOTHING, state: 'listed', runbooks: foundRunbooks(await tools(), given) }
      case 'runs':
        checkNames(given, [])
        return { ...NOTHING, state: 'listed', runs: this.#runs(user) }
      case 'wait':
        checkNames(given, ['session_id'])
        return this.#awaitEnd(this.#own(user, given).id, call)
      case 'stop': {
        checkNames(given, ['session_id'])
        const { id } = this.#own(user, given)
        stopSession(this.#services, id, user.name)
        return this.#awaitEnd(id, call)
      }
      case 'read_output': {
        checkNames(given, ['session_id', 'from'])
        const { from = 0 } = given
        if (typeof from !== 'number' || !Number.isSafeInteger(from))
          throw new ArgumentsWrong('from: must be a whole number')
        return outputResult(history, this.#own(user, given), from)
      }
    }
  }

  /** @param more names of further arguments @throws ArgumentsWrong, RequestRefused, HistoryError */
  async run(tool: RunbookTool, call: ToolCall, more: readonly string[] = []): Promise<ToolResult> {
    const asked = readRunArguments(tool, call.given, more)
    const connection = this.#services.users.visibleConnection(call.user, asked.connection)
    if (asked.dryRun) return this.#dryRun(tool, call, connection, asked)
    const { requestKey } = asked
    const sums = this.#digests(tool, call.user, asked)
    const start = () => this.#start(tool, call, connection, asked, sums)
    const started =
      requestKey === undefined
        ? await start()
        : await this.#turns.run(
            sums.correlation,
            async () => this.#earlier(call.user, sums) ?? (await start()),
          )
    const result = await this.#awaitEnd(started.id, call)
    if (!started.isRepeated) return result
    const { startedAt } = this.#services.history.session(started.id) ?? {}
    return { ...result, repeated: true, began: startedAt?.toISOString() ?? null }
  }

  /** Keyed hashes, because values may be guessed. The reason does not count: a model words it anew. */
  #digests(
    tool: RunbookTool,
    user: GatewayUser,
    { connection, parameters, requestKey }: RunArguments,
  ): Digests {
    const { users, vault } = this.#services
    const digest = (...parts: unknown[]) => {
      const text = JSON.stringify([user.name, users.identity(user.name) ?? null, ...parts])
      return vault.digest(Buffer.from(text), 'mcp')
    }
    const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1))
    const whole = digest('arguments', tool.repository, tool.path, connection, sorted)
    return {
      whole,
      correlation: requestKey === undefined ? digest('same', whole) : digest('key', requestKey),
    }
  }

  /** @throws RequestRefused if the key belongs to another request */
  #earlier(user: GatewayUser, { correlation, whole }: Digests): Started | undefined {
    const session = this.#sessionOf(user, correlation)
    if (session === undefined) return undefined
    if (session.labels[MCP_ARGUMENTS_LABEL] !== whole)
      throw refused('invalid-request/key-of-another', { id: session.id })
    if (Date.now() - Number(session.startedAt) > KEY_MS)
      throw refused('invalid-request/key-ended', { id: session.id })
    return { id: session.id, isRepeated: true }
  }

  /** Other users can give their sessions the same correlation id, which they may see, so all are looked at. */
  #sessionOf({ name }: GatewayUser, correlationId: string): SessionSummary | undefined {
    const { history } = this.#services
    for (let offset = 0; ; offset += SAME_ID_SESSIONS) {
      const query = { correlationId, limit: SAME_ID_SESSIONS, offset, count: 'none' } as const
      const { sessions } = history.list(query)
      const own = sessions.filter(({ user }) => user === name).map(({ id }) => history.session(id))
      const found = own.find((one) => one !== undefined && mcpOrigin(one.labels) !== undefined)
      if (found !== undefined || sessions.length < SAME_ID_SESSIONS) return found
    }
  }

  /** Begins the session, or asks for approval. @throws RequestRefused, HistoryError */
  async #start(
    tool: RunbookTool,
    call: ToolCall,
    connection: ConnectionSettings,
    asked: RunArguments,
    sums: Digests,
  ): Promise<Started> {
    const { user } = call
    const execution = await this.#readExecution(tool, call, connection, asked, sums)
    const begin = async (): Promise<Started> => {
      const obstacle = this.#leash.obstacle(call.token)
      if (obstacle !== undefined) throw refused('token-ended/tool', { reason: obstacle })
      const { body } = await executeOrAsk(this.#services, { user, execution, file: tool.path }, NO_WAIT)
      this.#leash.follow({ id: body.session_id, user: user.name, labels: execution.labels })
      return { id: body.session_id, isRepeated: false }
    }
    if (reviewRule({ ...execution, verb: 'exec' }, user.groups, tool.path) === undefined) return begin()
    return this.#turns.run(`waiting requests of ${user.name}`, async () => {
      const same = this.#waitingOf(user, asked, sums)
      if (same !== undefined) return same
      this.#checkWaiting(user)
      return begin()
    })
  }

  async #readExecution(
    tool: RunbookTool,
    { user, token, clientIp, claim }: ToolCall,
    connection: ConnectionSettings,
    { parameters, why }: RunArguments,
    { correlation, whole }: Digests,
  ): Promise<ScriptExecution> {
    const body = { ...bodyOf(tool, parameters), correlation_id: correlation, when_approved: true }
    const reason = why === '' ? '' : `${BY_MACHINE} ${why}`
    const { repository } = tool
    const asked = { user, connection, repository, body: { ...body, reason } }
    const { execution, first } = await readRunbook(this.#services, asked)
    checkAlone(tool.path, first, 'a machine')
    const labels = {
      ...execution.labels,
      [MCP_TOOL_LABEL]: tool.name,
      [MCP_TOKEN_LABEL]: token.id,
      [MCP_ARGUMENTS_LABEL]: whole,
      ...(claim !== '' && { [MCP_CLIENT_LABEL]: claim }),
    }
    return { ...execution, labels, clientIp, askedWith: token }
  }

  /** Without a key, the same request that still waits is the same one. */
  #waitingOf(user: GatewayUser, { requestKey }: RunArguments, { correlation }: Digests): Started | undefined {
    const session = requestKey === undefined ? this.#sessionOf(user, correlation) : undefined
    return session === undefined || session.status === 'done'
      ? undefined
      : { id: session.id, isRepeated: true }
  }

  #checkWaiting({ name }: GatewayUser): void {
    const { reviews } = this.#services.history.read((tables) => tables.reviews.waitingOf(name))
    if (reviews < MAX_WAITING) return
    throw refused('too-much-at-once/machine-reviews', { count: reviews, name })
  }

  async #dryRun(
    tool: RunbookTool,
    { user, token: askedWith, clientIp }: ToolCall,
    connection: ConnectionSettings,
    { parameters }: RunArguments,
  ): Promise<ToolResult> {
    const { repository, path: file, commit, inputs } = tool
    const body = bodyOf(tool, parameters)
    const preview = await previewRunbook(this.#services, { connection, repository, body }, true)
    const choices: Record<string, readonly string[]> = {}
    for (const { name: parameter, optionsFrom } of inputs) {
      if (optionsFrom === undefined) continue
      const of = optionsFrom.of === undefined ? undefined : parameters[optionsFrom.of]
      const asked = {
        user,
        connection,
        file,
        parameter,
        of,
        refHash: commit,
        isCached: false,
        clientIp,
        askedWith,
      }
      const offered = await offeredChoices(this.#services, asked)
      choices[parameter] = offered.choices
        .slice(0, MAX_SHOWN_CHOICES)
        .map(({ value }) => printableText(value))
    }
    const script = printableText(preview.script)
    return {
      ...{ ...NOTHING, state: 'dry_run', commit: preview.commit },
      output: script.slice(0, MAX_SCRIPT_CHARACTERS).toWellFormed(),
      truncated: script.length > MAX_SCRIPT_CHARACTERS,
      next: 'Nothing has run. Call the tool without dry_run to run this script.',
      ...{ missing: preview.missing, ...(Object.keys(choices).length > 0 && { choices }) },
    }
  }

  #runs({ name }: GatewayUser): object[] {
    const { history } = this.#services
    const found: object[] = []
    const user = name.replace(/[\\%_]/g, '\\$&')
    for (let offset = 0; offset < MAX_SEARCHED_RUNS && found.length < LISTED_RUNS; offset += LISTED_RUNS) {
      const query = { user, kind: 'runbook', limit: LISTED_RUNS, offset, count: 'none' } as const
      const { sessions, hasMore } = history.list(query)
      const whole = sessions.map((one) => (one.isShort === true ? (history.session(one.id) ?? one) : one))
      const own = whole.filter(({ labels }) => mcpOrigin(labels) !== undefined)
      found.push(...own.map((session) => listedRun(this.#services, session)))
      if (!hasMore) break
    }
    return found.slice(0, LISTED_RUNS)
  }

  /** A session that the machine began by a tool. Other sessions of the machine are missing. */
  #own({ name }: GatewayUser, { session_id: id }: Fields): SessionSummary {
    const session = typeof id === 'string' ? this.#services.history.session(id) : undefined
    if (session?.user === name && mcpOrigin(session.labels) !== undefined) return session
    throw refused('session-not-found/machine')
  }

  /** Waits for the end at most 45 s. A request that waits for people is answered at once. */
  async #awaitEnd(id: string, { hold, gone }: ToolCall): Promise<ToolResult> {
    const { history, sessions } = this.#services
    const over = AbortSignal.any([hold.signal, gone])
    const until = performance.now() + WAIT_MS
    using follower = history.follow(id, 'now')
    for (;;) {
      const session = history.session(id)
      if (session === undefined || follower === undefined)
        return refusedResult('session-not-found', 'the session was removed from the history')
      const left = until - performance.now()
      const isAnswered = !isRunning(session) || left <= 0 || over.aborted || sessions.stopsAt !== undefined
      if (!isAnswered) {
        await follower.changed(Math.min(left, LOOK_MS), over)
        continue
      }
      const result = sessionResult(this.#services, session)
      return hold.signal.aborted ? { ...result, code: 'token-ended', message: hold.reason } : result
    }
  }
}

interface Digests {
  /** Tool, connection and values. */
  readonly whole: string
  /** The sessions that may be the same request have this correlation id. */
  readonly correlation: string
}

/** Whether the end may come within seconds. An approved request is run by the gateway itself. */
function isRunning({ status, review }: SessionSummary): boolean {
  if (status === 'ready') return review?.held === undefined
  return status === 'open' && review?.status !== 'PENDING'
}

/** The commit is the one that was listed, so that what was checked is what runs. */
function bodyOf({ path, commit }: RunbookTool, parameters: Readonly<Record<string, string>>): RunbookBody {
  return {
    ...{
      file_name: path,
      ref_hash: commit,
      parameters,
      env_vars: {},
      client_args: [],
      metadata: {},
      jira_fields: {},
    },
    ...{ session_batch_id: null, correlation_id: null, when_approved: false, reason: '' },
  }
}
