import type { Logger } from '../../basics/logger.ts'
import { within } from '../../basics/abort.ts'
import type { History } from '../history/history.ts'
import { HistoryError } from '../store/errors.ts'
import { blockedText } from './guardrails.ts'
import { NO_AGENT_CODE, type GatewaySession, type SessionEnd } from './session.ts'
import { requestBytes, type SessionRequest } from './session-request.ts'
import type { LockObstacle } from './session-state.ts'
import type { Sessions, LockQueue } from './sessions.ts'
import type { Current } from '../settings/settings.ts'
import type { ExecutionAnswer } from '../../contract/executions.ts'

/** A REST request for one execution. */
export interface ScriptExecution extends Omit<SessionRequest, 'verb'> {
  readonly origin: 'client-api' | 'client-api-runbooks'
  /** Fields of the session's Jira issue. */
  readonly jiraFields?: Readonly<Record<string, string>>
}

type RunRequest = Pick<ScriptExecution, 'script' | 'labels'>

/** Added to the answer's output when the history fails. The reason is in the log. */
const UNRECORDED = {
  written: 'the session history could not be written, output may be missing',
  read: 'the session history could not be read, output may be missing',
}

interface ExecutionServices {
  readonly sessions: Sessions
  readonly settings: Current<'limits'>
  readonly history: History
  readonly log: Logger
  readonly locks: Pick<LockQueue, 'obstacle'>
}

export interface ExecAnswer {
  readonly status: 200 | 202
  readonly body: ExecutionAnswer
}

export interface AnswerWait {
  readonly ms: number
  /**
   * If true, an end is answered only if it consists of output and exit code. The caller reads any other end
   * from the session's stream, where texts about the session are separate from its output.
   */
  readonly isForPlainEnd?: boolean
}

export const NO_WAIT: AnswerWait = { ms: 0 }

/** Sessions that run one script, for callers who want one answer. */
export class Executions {
  readonly #sessions: Sessions
  readonly #history: History
  readonly #settings: Current<'limits'>
  readonly #log: Logger
  readonly #locks: Pick<LockQueue, 'obstacle'>

  constructor({ sessions, settings, history, log, locks }: ExecutionServices) {
    this.#sessions = sessions
    this.#settings = settings
    this.#history = history
    this.#log = log
    this.#locks = locks
  }

  /**
   * Runs a script and answers with its end. When the wait is over before, the answer is 202, and the session
   * continues.
   * @param wait default: the wait of the settings
   * @throws HistoryError when the session cannot begin
   */
  async execute(request: ScriptExecution, wait?: AnswerWait): Promise<ExecAnswer> {
    const asked = { ...request, verb: 'exec' } as const
    const session = await this.#history.patiently(() => this.#sessions.open(asked), requestBytes(asked))
    return this.run(session, request, wait)
  }

  /** As `execute`, for a session that was opened already. */
  async run(
    session: GatewaySession,
    request: RunRequest,
    { ms, isForPlainEnd = false }: AnswerWait = { ms: this.#settings.value.limits.waitMs },
  ): Promise<ExecAnswer> {
    const startedAt = performance.now()
    const { sid } = session
    const ended = runScript(session, request.script)
    const later = () => ({ status: 202, body: warned(request, this.#stillRunning(sid)) }) as const
    if (!(await within(ended, ms)) || (isForPlainEnd && !isPlain(await ended))) return later()
    const executionTime = Math.round(performance.now() - startedAt)
    const body = this.#answer(sid, await ended, executionTime)
    return isForPlainEnd && body.truncated ? later() : { status: 200, body: warned(request, body) }
  }

  #answer(sid: string, ending: SessionEnd, executionTime: number): ExecutionAnswer {
    const { exitCode, failure, truncatedBytes, redactedBytes } = ending
    const { output, truncated } = this.#output(sid, ending)
    return {
      has_review: false,
      session_id: sid,
      output,
      output_status: statusOf(ending),
      truncated: truncated || truncatedBytes > 0,
      execution_time: executionTime,
      exit_code: exitCode,
      ai_analysis: null,
      ...(redactedBytes > 0 && { redacted_bytes: redactedBytes }),
      ...(failure !== undefined && { code: failure.code }),
    }
  }

  #stillRunning(sid: string): ExecutionAnswer {
    const obstacle = this.#locks.obstacle(sid)
    const wait = this.#sessions.agentWait(sid)
    return {
      ...stillRunning(sid),
      ...(obstacle !== undefined && { waits_for: waitsFor(obstacle) }),
      ...(wait !== undefined && {
        waits_for_agent: { agent: wait.agent, until: wait.until.toISOString() },
      }),
    }
  }

  /**
   * Returns the output. An output that cannot be read is no error, because the command has run and its exit
   * code must be answered.
   */
  #output(sid: string, { unrecorded, closed }: SessionEnd): { output: string; truncated: boolean } {
    try {
      const { bytes, truncated } = this.#history.output(sid, this.#settings.value.limits.outputBytes)
      const output = withoutEnd(bytes.toString('utf8'), blockedText(closed?.guardrails ?? []))
      if (unrecorded === undefined) return { output, truncated }
      return { output: withLine(output, UNRECORDED.written), truncated: true }
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      this.#log.error({ sid, error: error.message }, 'cannot read the output of the session')
      return { output: withLine('', UNRECORDED.read), truncated: true }
    }
  }
}

/** Sends the script when the agent is ready. The output is only recorded. */
async function runScript(session: GatewaySession, script: Buffer): Promise<SessionEnd> {
  for await (const message of session.run()) if (message.kind === 'opened') session.exec(script)
  return session.ended
}

/** Adds the warning that the gateway has stored in a label of the session. */
export function warned({ labels }: RunRequest, answer: ExecutionAnswer): ExecutionAnswer {
  const { runbookWarning: warning } = labels
  return warning === undefined ? answer : { ...answer, warning }
}

function isPlain({ exitCode, closed, failure, unrecorded, brokenRules }: SessionEnd): boolean {
  const isBlocked = [...(closed?.guardrails ?? []), ...(brokenRules ?? [])].length > 0
  const isUsual = exitCode >= 0 && failure === undefined && unrecorded === undefined
  return isUsual && closed?.message === '' && !isBlocked
}

function statusOf({ exitCode, failure, closed }: SessionEnd): ExecutionAnswer['output_status'] {
  if ((closed?.guardrails ?? []).length > 0) return 'blocked'
  return failure !== undefined || exitCode !== 0 ? 'failed' : 'success'
}

/**
 * Removes the text about broken rules from the end of the recorded output. The agent has already sent this
 * text to the user.
 */
function withoutEnd(output: string, text: string): string {
  return text !== '' && output.endsWith(text) ? output.slice(0, -text.length) : output
}

function withLine(output: string, line: string): string {
  return `${output}${output === '' || output.endsWith('\n') ? '' : '\n'}${line}\n`
}

function waitsFor({ lock, holder, ahead }: LockObstacle): ExecutionAnswer['waits_for'] {
  const since = holder === undefined ? null : new Date(holder.since).toISOString()
  return { lock, session_id: holder?.sid ?? null, user: holder?.user ?? null, since, ahead }
}

function stillRunning(sid: string): ExecutionAnswer {
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
