import { randomUUID } from 'node:crypto'
import type { SessionId } from '../wire/message.ts'
import type { Agents } from './agents.ts'
import { connectionType } from './connection-type.ts'
import type { History } from './history/history.ts'
import { HistoryError } from './history/session.ts'
import type { Logger } from '../basics/logger.ts'
import { NO_AGENT_CODE, recordEnd, Session, type SessionEnding } from './session.ts'
import type { ConnectionSettings, GatewaySettings } from './settings/settings.ts'

/** One execution as the REST interface asks for it. */
export interface ExecutionRequest {
  readonly connection: ConnectionSettings
  readonly origin: 'client-api' | 'client-api-runbooks'
  readonly user: string
  readonly script: Buffer
  readonly envVars: ReadonlyMap<string, string>
  readonly clientArgs: readonly string[]
  readonly metadata: Readonly<Record<string, unknown>>
  readonly labels: Readonly<Record<string, string>>
  readonly sessionBatchId?: string | undefined
  readonly correlationId?: string | undefined
}

/** `openapi.ExecResponse` of the published contract. */
export interface ExecResponse {
  readonly has_review: boolean
  readonly session_id: string
  readonly output: string
  readonly output_status: 'success' | 'failed' | 'running'
  readonly truncated: boolean
  readonly execution_time: number
  readonly exit_code: number
  readonly ai_analysis: null
}

interface Running {
  /** Aborted with the reason when the session is to end from this side. */
  readonly ending: AbortController
  readonly finished: Promise<ExecResponse>
}

/** What the answer's output says, beside what is known of it, when the history fails. The reason is in the log. */
const UNRECORDED = {
  written: 'the session history could not be written, output may be missing',
  read: 'the session history could not be read, output may be missing',
}

/** Runs sessions on agents and keeps track of the running ones. */
export class Executions {
  readonly #agents: Agents
  readonly #history: History
  readonly #limits: GatewaySettings['limits']
  readonly #log: Logger
  readonly #running = new Map<string, Running>()

  constructor(agents: Agents, history: History, limits: GatewaySettings['limits'], log: Logger) {
    this.#agents = agents
    this.#history = history
    this.#limits = limits
    this.#log = log
  }

  /** The answer when it comes within the wait, else the 202: the execution goes on. @throws HistoryError when it cannot begin */
  async execute(request: ExecutionRequest): Promise<{ status: 200 | 202; body: ExecResponse }> {
    const sid = randomUUID() as SessionId
    const finished = this.#begin(sid, request)
    let timer: NodeJS.Timeout | undefined
    // A plain timer: ending that of timers/promises makes an error with a stack, 20 us for each execution.
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, this.#limits.waitMs, 'late')))
    try {
      const body = await Promise.race([finished, late])
      return body === 'late' ? { status: 202, body: stillRunning(sid) } : { status: 200, body }
    } finally {
      clearTimeout(timer)
    }
  }

  /** @returns false when no such session runs */
  kill(id: string): boolean {
    return this.#end(id, 'session killed by the user')
  }

  /** Ends what runs and waits until it is recorded. */
  async close(): Promise<void> {
    for (const id of this.#running.keys()) this.#end(id, 'gateway shutdown')
    await Promise.allSettled([...this.#running.values()].map(({ finished }) => finished))
  }

  #begin(sid: SessionId, request: ExecutionRequest): Promise<ExecResponse> {
    this.#create(sid, request)
    const ending = new AbortController()
    const finished = this.#run(sid, request, ending.signal).finally(() => this.#running.delete(sid))
    // Whoever waits gets the error; when all have left with a 202 it must not end the process.
    finished.catch((error: unknown) =>
      this.#log.error({ sid, error: (error as Error).message }, 'session failed'),
    )
    this.#running.set(sid, { ending, finished })
    return finished
  }

  #create(sid: SessionId, request: ExecutionRequest): void {
    try {
      this.#history.begin(newSession(sid, request))
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      throw new HistoryError(`the session couldn't be created: ${error.message}`, { cause: error })
    }
  }

  async #run(sid: SessionId, request: ExecutionRequest, signal: AbortSignal): Promise<ExecResponse> {
    const startedAt = performance.now()
    const { connection, user, origin } = request
    this.#log.info({ sid, connection: connection.name, user, origin }, 'session started')
    const ending = await this.#ending(sid, request, signal)
    this.#log.info({ sid, exitCode: ending.exitCode, truncatedBytes: ending.truncatedBytes }, 'session ended')
    return this.#answer(sid, ending, Math.round(performance.now() - startedAt))
  }

  /** In the original's order: access, then the agent, for which it waits, then the session itself. */
  async #ending(sid: SessionId, request: ExecutionRequest, signal: AbortSignal): Promise<SessionEnding> {
    const use = request.origin === 'client-api' ? 'exec' : 'runbooks'
    const { connection } = request
    if (!connection.access[use])
      return this.#refuse(sid, `code = FailedPrecondition desc = ${use} is disabled for this connection`)
    const agent = await this.#agents.waitFor(connection.agent, this.#limits.agentWaitMs, signal)
    if (signal.aborted) return this.#refuse(sid, `code = Unknown desc = ${String(signal.reason)}`)
    if (agent === undefined) return this.#refuse(sid, 'code = FailedPrecondition desc = agent is offline')
    const session = new Session(openMessage(sid, request), request.script, this.#history)
    signal.addEventListener('abort', () => session.fail(String(signal.reason)), { once: true })
    return session.run(agent)
  }

  /** Records a session that no agent has seen. */
  #refuse(sid: SessionId, reason: string): SessionEnding {
    this.#history.append(sid, 'e', Buffer.from(`rpc error: ${reason}`), 0)
    return recordEnd(this.#history, sid, { exitCode: NO_AGENT_CODE, clientError: true, truncatedBytes: 0 })
  }

  #end(id: string, reason: string): boolean {
    const running = this.#running.get(id)
    running?.ending.abort(reason)
    return running !== undefined
  }

  #answer(sid: SessionId, ending: SessionEnding, executionTime: number): ExecResponse {
    const { output, truncated } = this.#output(sid, ending)
    return {
      has_review: false,
      session_id: sid,
      output,
      output_status: ending.clientError || ending.exitCode !== 0 ? 'failed' : 'success',
      truncated: truncated || ending.truncatedBytes > 0,
      execution_time: executionTime,
      exit_code: ending.exitCode,
      ai_analysis: null,
    }
  }

  /** What the history has of the output; the command has run, so its code is answered without it as well. */
  #output(sid: SessionId, { unrecorded }: SessionEnding): { output: string; truncated: boolean } {
    if (unrecorded !== undefined) this.#log.error({ sid, error: unrecorded }, 'session not recorded')
    try {
      const { bytes, truncated } = this.#history.output(sid, this.#limits.outputBytes)
      const output = bytes.toString('utf8')
      if (unrecorded === undefined) return { output, truncated }
      return { output: withLine(output, UNRECORDED.written), truncated: true }
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      this.#log.error({ sid, error: error.message }, 'output not read')
      return { output: withLine('', UNRECORDED.read), truncated: true }
    }
  }
}

function withLine(output: string, line: string): string {
  return `${output}${output === '' || output.endsWith('\n') ? '' : '\n'}${line}\n`
}

function stillRunning(sid: SessionId): ExecResponse {
  return {
    has_review: false,
    session_id: sid,
    output: '',
    output_status: 'running',
    truncated: false,
    execution_time: 0,
    exit_code: NO_AGENT_CODE,
    ai_analysis: null,
  }
}

function newSession(sid: SessionId, request: ExecutionRequest) {
  const { connection, sessionBatchId, correlationId } = request
  return {
    id: sid,
    origin: request.origin,
    verb: 'exec',
    connection: connection.name,
    connectionType: connection.type,
    ...(connection.subtype !== undefined && { connectionSubtype: connection.subtype }),
    user: request.user,
    script: request.script,
    labels: request.labels,
    metadata: request.metadata,
    ...(sessionBatchId !== undefined && { sessionBatchId }),
    ...(correlationId !== undefined && { correlationId }),
    startedAt: new Date(),
  }
}

function openMessage(sid: SessionId, request: ExecutionRequest) {
  const { connection, user } = request
  const type = connectionType(connection.type, connection.subtype)
  return {
    kind: 'open',
    sid,
    connectionType: type,
    requestPort: '',
    clientEnvVars: request.envVars,
    params: {
      connectionName: connection.name,
      connectionType: type,
      connectionSubType: connection.subtype ?? '',
      userId: user,
      userEmail: user,
      envVars: connection.secrets,
      cmdList: connection.command,
      clientArgs: request.clientArgs,
      clientVerb: 'exec',
      clientOrigin: request.origin,
      dlpProvider: '',
      dlpMode: 'best-effort',
      dlpInfoTypes: [],
      dlpGcpRawCredentialsJson: '',
      dlpPresidioAnalyzerUrl: '',
      dlpPresidioAnonymizerUrl: '',
      dataMaskingEntityTypesData: undefined,
      guardRailRules: undefined,
      analyzerMetricsRules: undefined,
      aiSessionAnalyzer: undefined,
    },
  } as const
}
