import { setTimeout as delay } from 'node:timers/promises'
import { oneLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { executeByRest } from '../../../client/running/execution.ts'
import type { ExecutionSight, SessionPiece } from '../../../client/running/follow.ts'
import type { RestExecution } from '../../../client/running/execution-request.ts'
import type { Outcome } from '../../../client/running/outcome.ts'
import { findByCorrelation, killSession } from '../../../client/rest/sessions.ts'
import { exitCodes, Failure, exitCodeOfSignal } from '../../exit-codes.ts'
import { clientFailure } from '../report/failures.ts'
import { whatRuns } from './pair.ts'
import { endBySignal, Interrupts, type Leave } from '../terminal/leaving.ts'
import { ReaderGone, type SessionOutput } from '../terminal/output.ts'
import { agentAwayText, Progress, WAITING } from '../terminal/progress.ts'

/** A second Ctrl-C within this time stops the session. */
const DETACH_MS = 3000
/** Maximum wait for a stopped session's end. The gateway does not wait for the command (`kill.grace`). */
const KILL_MS = 20_000
/** The wait is short, because the user waits at the terminal. */
const FIND_MS = 3000

/** @returns the outcome, or this program's exit code if the user left before the end */
export async function executeWatched(
  account: Account,
  request: RestExecution,
  { isShown, ...showing }: Showing & { readonly isShown: boolean },
): Promise<Outcome | { readonly leftWith: number }> {
  const subject = oneLine(`${whatRuns(request)} on ${request.connection}`)
  const { output } = showing
  using progress = new Progress(subject, isShown, () => !output.isWriting && !output.isInLine)
  using interrupts = new Interrupts()
  return await new WatchedExecution(account, request, progress, showing).run(interrupts)
}

interface Showing {
  /** Whether the output is shown while the execution runs. If not, the outcome has the output. */
  readonly isLive: boolean
  readonly output: SessionOutput
}

class WatchedExecution {
  readonly #account: Account
  readonly #request: RestExecution
  readonly #progress: Progress
  readonly #showing: Showing
  /** Stops the requests. It is not used after a normal end, because the output is still read then. */
  readonly #stop = new AbortController()
  readonly #waits = new AbortController()
  #sessionId: string | undefined
  #review: 'none' | 'waiting' | 'approved' = 'none'
  #hasReader = true

  constructor(account: Account, request: RestExecution, progress: Progress, showing: Showing) {
    this.#showing = showing
    this.#account = account
    this.#request = request
    this.#progress = progress
  }

  async run(interrupts: Interrupts): Promise<Outcome | { readonly leftWith: number }> {
    const running = this.#follow()
    try {
      const ended = await this.#untilEndOrLeaving(running, interrupts)
      if ('leftWith' in ended) this.#stop.abort()
      return ended
    } catch (error) {
      this.#stop.abort()
      throw error
    } finally {
      this.#waits.abort()
      // This prevents an unhandled rejection: after the user has left, no code uses the result.
      running.catch(() => undefined)
    }
  }

  async #untilEndOrLeaving(
    running: Promise<Outcome>,
    interrupts: Interrupts,
  ): Promise<Outcome | { readonly leftWith: number }> {
    const first = await Promise.race([running, interrupts.next(0)])
    if (typeof first === 'object') return first
    await this.#find()
    this.#progress.ctrlC = 'stops it'
    await this.#sayHowToComeBack(first === 'SIGINT')
    if (first !== 'SIGINT') return this.#detach(first)
    const second = await Promise.race([running, interrupts.next(1), this.#later(DETACH_MS)])
    if (typeof second === 'object') return second
    return second === 'later' ? this.#detach(first) : this.#kill(running)
  }

  /**
   * Leaves the session. If a write is stuck, the process ends by the signal, because the write would keep the
   * process alive.
   */
  #detach(signal: Leave): { readonly leftWith: number } {
    if (this.#showing.output.isWriting) endBySignal(signal)
    return { leftWith: exitCodeOfSignal(signal) }
  }

  async #follow(): Promise<Outcome> {
    const sights = executeByRest(this.#account, this.#request, {
      signal: this.#stop.signal,
      isLive: this.#showing.isLive,
      isBriefEndAnswered: true,
    })
    try {
      for (;;) {
        const { done, value } = await sights.next()
        if (done === true) return value
        await this.#see(value)
      }
    } catch (error) {
      throw this.#unknownEnd(error)
    }
  }

  /** Says "cannot run" only if nothing has run, because people run the runbook again after such a text. */
  #unknownEnd(error: unknown): unknown {
    const { connection } = this.#request
    const isRefused = error instanceof ApiError && error.kind === 'refused'
    if (this.#sessionId !== undefined && this.#review === 'approved' && isRefused)
      return notRunFailure(error, this.#sessionId)
    if (this.#sessionId !== undefined)
      return clientFailure(error, `the end of session ${oneLine(this.#sessionId)} is unknown`, this.#account)
    const isSent = error instanceof ApiError && error.isAnswerLost
    return isSent
      ? clientFailure(
          error,
          oneLine(`it is unknown whether ${whatRuns(this.#request)} runs on ${connection}`),
        )
      : error
  }

  async #see(sight: ExecutionSight): Promise<void> {
    switch (sight.kind) {
      case 'session':
        this.#sessionId = sight.id
        return
      case 'bytes':
        this.#progress.bytes = sight.bytes
        return
      case 'event':
        return this.#show(sight)
      case 'incomplete':
        // Nothing is shown here, because the report of the end mentions the missing output.
        return
      case 'review':
        return this.#awaitReview(sight)
      case 'approved':
        this.#review = 'approved'
        this.#progress.state = 'running'
        this.#progress.ctrlC = 'detaches'
        return
      case 'going-on':
        this.#review = 'none'
        return
      case 'agent-away':
        this.#progress.state = oneLine(`waiting for agent ${sight.agent}`)
        this.#progress.until = Date.parse(sight.until)
        this.#say(agentAwayText(sight))
        return
      case 'agent-back':
        this.#progress.state = 'running'
        this.#progress.until = undefined
        return
      case 'warning':
        this.#say(oneLine(sight.text))
        return
      case 'away':
        this.#progress.state = 'the gateway cannot be reached'
        return
      case 'back':
        this.#progress.state = this.#review === 'waiting' ? WAITING : 'running'
    }
  }

  async #awaitReview({ id, url }: Extract<ExecutionSight, { kind: 'review' }>): Promise<void> {
    this.#review = 'waiting'
    this.#progress.state = WAITING
    this.#progress.ctrlC = 'leaves it waiting'
    const { awaitedReviewers, waitingText } = await import('../report/awaited.ts')
    this.#say(`session ${oneLine(id)} is ${waitingText(await awaitedReviewers(this.#account, id), url)}`)
  }

  async #show(piece: SessionPiece): Promise<void> {
    if (piece.type === 'o') this.#progress.bytes += piece.bytes.length
    this.#progress.clear()
    try {
      if (this.#hasReader) await this.#showing.output.show(piece)
    } catch (error) {
      // If the reader has closed the pipe (`| head`), the end is still reported.
      if (!(error instanceof ReaderGone)) throw error
      this.#hasReader = false
    }
  }

  /** Looks for the session's id, because the gateway's own answer with the id may take 50 s. */
  async #find(): Promise<void> {
    if (this.#sessionId !== undefined) return
    try {
      const signal = AbortSignal.timeout(FIND_MS)
      this.#sessionId = (await findByCorrelation(this.#account, this.#request.correlationId, signal))?.id
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  async #sayHowToComeBack(mayKill: boolean): Promise<void> {
    const again = mayKill ? ` (Ctrl-C again within ${DETACH_MS / 1000} s stops it)` : ''
    if (this.#sessionId === undefined) {
      const { connection } = this.#request
      this.#say(
        `detaching: the session continues if the gateway has received the request${again}. To find the session: runbook-agent sessions list --connection ${connection}`,
      )
      return
    }
    const id = oneLine(this.#sessionId)
    if (this.#review === 'waiting') {
      const { waysBack } = await import('../report/awaited.ts')
      this.#say(
        `leaving: session ${id} is not approved yet${again}\n${waysBack(id, this.#request.whenApproved)}`,
      )
      return
    }
    this.#say(
      `detaching: session ${id} continues${again}\n  follow it again: runbook-agent sessions follow ${id}\n  see its output:  runbook-agent sessions output ${id}\n  stop it:         runbook-agent sessions kill ${id}`,
    )
  }

  async #kill(running: Promise<Outcome>): Promise<Outcome> {
    if (this.#sessionId === undefined) await this.#find()
    if (this.#sessionId === undefined)
      throw new Failure(
        'cannot stop the session, because its id is unknown. Find the id with runbook-agent sessions list',
        exitCodes.noExitCode,
      )
    await this.#killKnown(this.#sessionId)
    this.#say(`stopped session ${oneLine(this.#sessionId)}`)
    const ended = await Promise.race([running, this.#later(KILL_MS)])
    if (typeof ended === 'object') return ended
    throw new Failure(
      `session ${oneLine(this.#sessionId)} was stopped, but the gateway has not reported the end of the session`,
      exitCodes.noExitCode,
    )
  }

  async #killKnown(id: string): Promise<void> {
    try {
      await killSession(this.#account, id)
    } catch (error) {
      throw clientFailure(error, `cannot stop session ${oneLine(id)}, which may still run`, this.#account)
    }
  }

  #later(ms: number): Promise<'later'> {
    // The wait is aborted when no code waits any more.
    return delay(ms, 'later' as const, { signal: this.#waits.signal }).catch(() => 'later' as const)
  }

  #say(text: string): void {
    this.#progress.clear()
    process.stderr.write(`runbook-agent: ${text}\n`)
  }
}

/** Makes the failure of an approved session that may not run now, for example outside its time window. */
function notRunFailure(error: ApiError, session: string): Failure {
  const id = oneLine(session)
  return new Failure(
    oneLine(
      `session ${id} is approved, but cannot run now: ${error.message}. Try later: runbook-agent sessions exec ${id}`,
    ),
    exitCodes.refused,
  )
}
