import type { PairBody } from '../../contract/executions.ts'
import { outcomeOf } from '../../contract/session-state.ts'
import type { History } from '../history/history.ts'
import type { SessionSummary } from '../history/session.ts'
import type { Users } from '../people/identities/users.ts'
import { refused, RequestRefused } from '../refusals/request-refused.ts'
import type { RequestVault } from '../reviews/vault.ts'
import type { ScriptExecution } from '../sessions/executions.ts'
import {
  FIRST_DIGEST_LABEL,
  FIRST_FILE_LABEL,
  FIRST_LABEL,
  FIRST_OF_LABEL,
  FIRST_TARGET_LABEL,
  targetOf,
} from '../sessions/first-run.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { RunbookServices } from './runbook-access.ts'
import { readRunbook, type ReadRunbook, type RunbookExecution } from './runbook-execution.ts'

export interface PairServices extends RunbookServices {
  readonly history: History
  readonly sessions: Pick<Sessions, 'stateOf'>
  readonly users: Pick<Users, 'identity'>
  readonly vault: RequestVault
}

export interface PairExecution extends RunbookExecution {
  readonly body: PairBody
}

/** The execution that a request begins: of its runbook, or of the first one. Dispose it when its session exists. */
interface PreparedExecution extends Disposable {
  readonly execution: ScriptExecution
  /** Path of the runbook that runs. */
  readonly file: string
}

type Second = ReadRunbook & { readonly first: string }

const RUN = 'run'

/**
 * Runs pairs of runbooks: the comment `first: PATH` of a runbook names another one, which has to run before it with
 * the same commit, connection and values. The runs are two sessions. Nothing is held between them: the first one
 * has a keyed hash of what it was asked for, and the second request is compared with it.
 */
export class Pairs {
  readonly #services: PairServices
  /** First sessions whose second request is being made. */
  readonly #taken = new Set<string>()

  constructor(services: PairServices) {
    this.#services = services
  }

  /** @throws RequestRefused */
  async prepare(asked: PairExecution): Promise<PreparedExecution> {
    const { body } = asked
    const read = await readRunbook(this.#services, asked)
    const { first } = read
    const wish = body.first ?? undefined
    if (first === undefined && wish !== undefined) throw noFirst(body.file_name)
    if (first === undefined) return { ...read, file: body.file_name, [Symbol.dispose]: () => undefined }
    const second = { ...read, first }
    if (wish === undefined) throw firstMissing(body.file_name, first)
    return wish === RUN ? this.#first(asked, second) : this.#second(asked, second, wish)
  }

  async #first(asked: PairExecution, second: Second): Promise<PreparedExecution> {
    const { first: file, commit, effective } = second
    const { file_name: of } = asked.body
    // With defaults of its own, the first one could show something else than what the second one changes.
    const parameters = { ...asked.body.parameters, ...Object.fromEntries(effective) }
    const one = { ...asked, body: { ...asked.body, parameters, file_name: file, ref_hash: commit } }
    const read = await this.#readFirst(one, of)
    if (read.first !== undefined)
      throw refused('invalid-runbook/first', { file: of, first: file, second: read.first })
    const labels = {
      ...read.execution.labels,
      [FIRST_OF_LABEL]: of,
      [FIRST_DIGEST_LABEL]: this.#digest(asked, second),
      [FIRST_TARGET_LABEL]: this.#target(asked),
    }
    return { execution: { ...read.execution, labels }, file, [Symbol.dispose]: () => undefined }
  }

  async #readFirst(one: PairExecution, of: string): Promise<ReadRunbook> {
    try {
      return await readRunbook(this.#services, one)
    } catch (error) {
      if (!(error instanceof RequestRefused)) throw error
      throw error.reworded((message) => `first runbook of ${of}: ${message}`)
    }
  }

  #second(asked: PairExecution, second: Second, id: string): PreparedExecution {
    const session = this.#firstSession(asked, second, id)
    this.#checkEnd(session, asked)
    this.#checkUnused(session, asked.body.file_name)
    const { execution } = second
    const labels = {
      ...execution.labels,
      [FIRST_LABEL]: id,
      [FIRST_FILE_LABEL]: second.first,
      [FIRST_TARGET_LABEL]: this.#target(asked),
    }
    this.#taken.add(id)
    return {
      execution: { ...execution, labels },
      file: asked.body.file_name,
      [Symbol.dispose]: () => void this.#taken.delete(id),
    }
  }

  /** @throws RequestRefused if the session is not the first run of exactly this request */
  #firstSession(asked: PairExecution, second: Second, id: string): SessionSummary {
    const { user, connection, body } = asked
    const session = this.#services.history.session(id)
    const labels = session?.labels ?? {}
    const isOwn = session?.user === user.name && session.origin === 'client-api-runbooks'
    if (session === undefined || !isOwn || labels[FIRST_OF_LABEL] !== body.file_name)
      throw firstVoid(id, `it is no first run of ${body.file_name} that you have begun`)
    if (session.connection !== connection.name)
      throw firstVoid(
        id,
        `it ran on connection ${session.connection}, and this request is for ${connection.name}`,
      )
    if (labels[FIRST_TARGET_LABEL] !== this.#target(asked))
      throw firstVoid(id, `the settings of connection ${connection.name} have changed since it was requested`)
    const { runbookCommit: ran = '' } = labels
    if (ran !== second.commit)
      throw firstVoid(id, `it ran at commit ${short(ran)}, and this request is at ${short(second.commit)}`)
    if (labels[FIRST_DIGEST_LABEL] !== this.#digest(asked, second))
      throw firstVoid(
        id,
        'a parameter, a variable or an argument of this request differs from those of that run',
      )
    return session
  }

  /** @throws RequestRefused */
  #checkEnd(session: SessionSummary, { body }: PairExecution): void {
    const { id, status, beganAt } = session
    const { name, text } = this.#services.sessions.stateOf(session)
    if (status !== 'done') throw refused('first-unfinished', { id, state: text })
    if (outcomeOf(name) === 'succeeded') return
    if (beganAt === undefined) throw refused('first-failed/never-began', { id, state: text })
    if (body.despite_first) return
    throw refused('first-failed/failed', { id, state: text, file: body.file_name })
  }

  /** One first run is for one request: after it, the first one would show what was before. @throws RequestRefused */
  #checkUnused({ id }: SessionSummary, file: string): void {
    const other = this.#services.history.read(({ reviews }) => reviews.facts.secondOf(id, file))
    if (other !== undefined) throw firstVoid(id, `session ${other} was requested with it`)
    if (this.#taken.has(id)) throw firstVoid(id, 'another request with it is being made')
  }

  #target({ connection }: PairExecution): string {
    return this.#services.vault.digest(targetOf(connection), 'first')
  }

  /** A keyed hash, because values may be secrets, and a plain hash would allow guessing them. */
  #digest(
    { user, connection, body }: PairExecution,
    { execution, first, commit, effective }: Second,
  ): string {
    const { users, vault } = this.#services
    const sorted = (values: readonly (readonly [string, string])[]) =>
      values.toSorted(([a], [b]) => (a < b ? -1 : 1))
    const asked = [
      ...[user.name, users.identity(user.name) ?? null, connection.name],
      ...[execution.labels['runbookRepository'], commit, body.file_name, first],
      ...[sorted([...effective]), sorted(Object.entries(body.env_vars)), body.client_args],
    ]
    return vault.digest(Buffer.from(JSON.stringify(asked)), 'first')
  }
}

/**
 * Refuses a runbook with a first one where no person looks at the first one's output.
 * @param by `a batch` or `a schedule`
 * @throws RequestRefused
 */
export function checkAlone(file: string, first: string | undefined, by: string): void {
  if (first === undefined) return
  throw refused('first-missing/alone', { by, file, first })
}

function firstMissing(file: string, first: string): RequestRefused {
  return refused('first-missing/once', { file, first })
}

function noFirst(file: string): RequestRefused {
  return refused('first-void/none', { file })
}

function firstVoid(id: string, reason: string): RequestRefused {
  return refused('first-void/other', { id, reason })
}

function short(commit: string): string {
  return commit.slice(0, 12)
}
