import { oneLine, printableJson } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { executeApproved, followToEnd, ReviewRejected } from '../../../client/running/execution.ts'
import type { ExecutionSight, SessionPiece } from '../../../client/running/follow.ts'
import type { Outcome } from '../../../client/running/outcome.ts'
import { fetchSession, type RecordedSession } from '../../../client/rest/sessions.ts'
import { readAccount } from '../asking/account.ts'
import { exitCodes, Failure, exitCodeOfSignal } from '../../exit-codes.ts'
import { type SessionSubject, endFields, showEnding, tellEnding } from '../report/ending.ts'
import { clientFailure } from '../report/failures.ts'
import { endBySignal, Leaving } from '../terminal/leaving.ts'
import type { NoticeFlags } from '../report/notices.ts'
import { ReaderGone, SessionOutput } from '../terminal/output.ts'
import { agentAwayText } from '../terminal/progress.ts'
import { wholeId } from './find.ts'

type FollowFlags = NoticeFlags & { readonly profile?: string }

/** @returns the exit code of the session */
export async function followCommand(id: string, flags: FollowFlags): Promise<number> {
  return following(id, flags, `cannot follow session ${id}`, followToEnd)
}

/** @returns the exit code of the session */
export async function execApprovedCommand(id: string, flags: FollowFlags): Promise<number> {
  return following(id, flags, `cannot run session ${id}`, approvedSights)
}

/** @throws Failure if the session is not approved, is outside its time window, or already runs */
async function* approvedSights(...what: Parameters<typeof executeApproved>): ReturnType<typeof followToEnd> {
  try {
    return yield* executeApproved(...what)
  } catch (error) {
    if (error instanceof ReviewRejected) throw new Failure(oneLine(error.message), exitCodes.refused)
    if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 409)) throw error
    throw new Failure(oneLine(`cannot run session ${what[1]}: ${error.message}`), exitCodes.refused)
  }
}

async function following(
  id: string,
  flags: FollowFlags,
  doing: string,
  sightsOf: typeof followToEnd,
): Promise<number> {
  const account = readAccount(flags.profile)
  try {
    const session = await fetchSession(account, await wholeId(account, id))
    return await new FollowedSession(account, session, flags).toEnd(sightsOf)
  } catch (error) {
    // If the reader of the output has gone, this program ends, but the session continues.
    if (error instanceof ReaderGone) return exitCodeOfSignal('SIGPIPE')
    throw clientFailure(error, oneLine(doing), account)
  }
}

class FollowedSession {
  readonly #account: Account
  readonly #session: RecordedSession
  readonly #id: string
  readonly #subject: SessionSubject
  readonly #flags: NoticeFlags
  readonly #output = new SessionOutput()

  constructor(account: Account, session: RecordedSession, flags: NoticeFlags) {
    const { id, connection } = session
    this.#account = account
    this.#session = session
    this.#id = id
    this.#subject = { verb: 'run', connection, address: account.rest.url, sessionId: id }
    this.#flags = flags
  }

  async toEnd(sightsOf: typeof followToEnd): Promise<number> {
    const stop = new AbortController()
    using leaving = new Leaving({ end: () => stop.abort(), overdue: endBySignal })
    try {
      return await this.#end(await this.#follow(sightsOf, stop.signal))
    } catch (error) {
      if (leaving.exitCode === undefined) throw error
      const id = oneLine(this.#id)
      await this.#notice(`session ${id} continues. To follow it again: runbook-agent sessions follow ${id}`)
      return leaving.exitCode
    }
  }

  async #follow(sightsOf: typeof followToEnd, signal: AbortSignal): Promise<Outcome> {
    if (sightsOf === followToEnd) await this.#sayWhatItWaitsFor()
    const sights = sightsOf(this.#account, this.#id, { signal, isLive: true })
    for (let isAway = false; ;) {
      const { done, value } = await sights.next()
      if (done === true) return value
      // After a connection was lost, only the first report of it is shown.
      if (value.kind !== 'away' || !isAway) await this.#show(value)
      isAway = value.kind === 'away'
    }
  }

  async #show(sight: ExecutionSight): Promise<void> {
    switch (sight.kind) {
      case 'event':
        return this.#flags.json === true ? this.#line(eventFields(sight)) : this.#output.show(sight)
      case 'incomplete':
        if (this.#flags.json === true) return this.#line({ event: sight.kind, missing_bytes: sight.bytes })
        return this.#notice('a part of the output after this line was not recorded and cannot be shown')
      case 'away':
        return this.#notice(oneLine(`the gateway cannot be reached, retrying: ${sight.reason}`))
      case 'back':
        return this.#notice('the gateway can be reached again')
      case 'warning':
        return this.#notice(oneLine(sight.text))
      case 'agent-away':
        return this.#notice(agentAwayText(sight))
      case 'review':
        return this.#sayWhoApproves(sight.url)
      case 'session':
      case 'bytes':
      case 'approved':
      case 'going-on':
      case 'agent-back':
    }
  }

  /** Says what the session waits for, because it has no output before its approval. */
  async #sayWhatItWaitsFor(): Promise<void> {
    const { status, review, state } = this.#session
    const id = oneLine(this.#id)
    if (status === 'ready')
      return this.#notice(`session ${id} is approved. Run it: runbook-agent sessions exec ${id}`)
    if (state?.name === 'waiting-for-agent')
      return this.#notice(agentAwayText({ agent: state.agent, until: state.until }))
    if (review?.status === 'PENDING') await this.#sayWhoApproves(`runbook-agent reviews show ${id}`)
  }

  async #sayWhoApproves(url: string): Promise<void> {
    const { awaitedReviewers, waitingText } = await import('../report/awaited.ts')
    const reviewers = await awaitedReviewers(this.#account, this.#id)
    await this.#notice(waitingText(reviewers, url))
  }

  async #end(outcome: Outcome): Promise<number> {
    if (this.#flags.json !== true) {
      return showEnding(
        outcome,
        this.#subject,
        { json: false, quiet: this.#flags.quiet ?? false },
        this.#output,
      )
    }
    for await (const bytes of outcome.output)
      await this.#line(eventFields({ kind: 'event', type: 'o', time: undefined, bytes }))
    await this.#line({ event: 'ended', ...endFields(outcome) })
    return tellEnding(outcome, this.#subject, true)
  }

  #line(fields: object): Promise<void> {
    return this.#output.stdout.write(Buffer.from(`${printableJson(fields)}\n`))
  }

  async #notice(text: string): Promise<void> {
    if (this.#flags.quiet !== true) await this.#output.say(`runbook-agent: ${text}`)
  }
}

/** Returns the event in the form of the gateway's stream. */
function eventFields({ type, time, bytes }: SessionPiece): object {
  return { event: 'event', time: time ?? null, type, payload: bytes.toString('base64') }
}
