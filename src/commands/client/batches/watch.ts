import { setTimeout as delay } from 'node:timers/promises'
import { oneLine } from '../../../basics/text/one-line.ts'
import type { Account } from '../../../client/account/account.ts'
import { call } from '../../../client/rest/call.ts'
import { fetchReview, groupNames } from '../../../client/rest/reviews.ts'
import { AWAY_MS, isPassing, longer } from '../../../client/running/follow.ts'
import { batchContract } from '../../../contract/batches.ts'
import { exitCodes, exitCodeOfSignal } from '../../failure.ts'
import { printAnswer, type AskingFlags } from '../asking/asking.ts'
import type { Interrupts } from '../terminal/leaving.ts'
import { batchDetails, countsOf, endedText, type BatchRead } from './texts.ts'

export interface WatchFlags extends AskingFlags {
  readonly quiet?: boolean
}

/** Time before the second request. Short, for short batches. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 2000

/**
 * Follows a batch through its approval to its end. Ctrl-C stops the batch, a second one kills its running sessions; a
 * batch that waits for approval is left waiting.
 * @param interrupts signals since before the batch was created: an early Ctrl-C counts
 * @returns the exit code of this program: 0 only when all runs have succeeded
 */
export function watchBatch(
  account: Account,
  batch: BatchRead,
  flags: WatchFlags,
  interrupts: Interrupts,
): Promise<number> {
  return new WatchedBatch(account, batch, flags).run(interrupts)
}

class WatchedBatch {
  readonly #account: Account
  readonly #flags: WatchFlags
  /** Connections whose end was told. */
  readonly #told = new Set<string>()
  #batch: BatchRead
  #wave = 0
  #isReviewTold = false

  constructor(account: Account, batch: BatchRead, flags: WatchFlags) {
    this.#account = account
    this.#batch = batch
    this.#flags = flags
  }

  async run(interrupts: Interrupts): Promise<number> {
    let seen = 0
    let wait = FIRST_WAIT_MS
    this.#tell()
    while (!isOver(this.#batch)) {
      const woken = new AbortController()
      const signal = await Promise.race([
        interrupts.next(seen),
        delay(wait, undefined, { signal: woken.signal }).catch(() => undefined),
      ])
      woken.abort()
      if (signal !== undefined) {
        if (signal !== 'SIGINT' || this.#batch.status === 'waiting') return this.#leave(signal)
        await this.#stop(seen > 0)
        seen += 1
      }
      await this.#look()
      wait = Math.min(longer(wait), LONGEST_WAIT_MS)
    }
    return this.#end()
  }

  /** Reads the batch, starts it when it was approved, and tells what is new. @throws ApiError */
  async #look(): Promise<void> {
    const { id } = this.#batch
    this.#batch = await this.#patiently(() => call(this.#account, batchContract.show, { id }))
    if (this.#batch.status === 'waiting') await this.#beginIfApproved(this.#batch.review?.session_id ?? '')
    this.#tell()
  }

  async #beginIfApproved(session: string): Promise<void> {
    const review = await this.#patiently(() => fetchReview(this.#account, session))
    if (review.status === 'APPROVED') {
      this.#batch = await call(this.#account, batchContract.exec, { id: this.#batch.id })
      return
    }
    if (this.#isReviewTold) return
    this.#isReviewTold = true
    const groups = groupNames(review).join(', ')
    this.#say(
      `batch ${this.#batch.id} waits for approval by ${groups}: runbook-agent reviews show ${session}`,
    )
  }

  /** Retries while the gateway is away: the batch goes on, or the gateway's restart stops it. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    const since = performance.now()
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!isPassing(error) || performance.now() - since > AWAY_MS) throw error
        await delay(LONGEST_WAIT_MS)
      }
    }
  }

  async #stop(kill: boolean): Promise<void> {
    await call(this.#account, batchContract.stop, { id: this.#batch.id }, { body: { kill } })
    this.#say(
      kill
        ? 'killing the running sessions'
        : 'stopping: no more runs start, running ones go on (Ctrl-C again kills them)',
    )
  }

  #leave(signal: NodeJS.Signals): number {
    const { id, status } = this.#batch
    const way = status === 'waiting' ? `runbook-agent batches exec ${id}` : `runbook-agent batches show ${id}`
    this.#say(
      `leaving: batch ${id} ${status === 'waiting' ? 'waits for approval' : 'goes on'}. Later: ${way}`,
    )
    return exitCodeOfSignal(signal)
  }

  #tell(): void {
    for (const run of this.#batch.runs) {
      if (run.wave > this.#wave && run.status !== 'not-begun') this.#tellWave(run.wave)
      if (run.ended_at === '' || this.#told.has(run.connection)) continue
      this.#told.add(run.connection)
      this.#say(endedText(run))
    }
  }

  #tellWave(wave: number): void {
    this.#wave = wave
    const { waves, id } = this.#batch
    if (wave === 1) this.#say(`batch ${id} runs`)
    this.#say(`wave ${wave} of ${waves.length}: ${waves[wave - 1] ?? 0} connections`)
  }

  async #end(): Promise<number> {
    const { raw, stop } = this.#batch
    const counts = countsOf(this.#batch)
    if (stop !== undefined) this.#say(`stopped, ${stop.message}: ${counts.not_begun} have not begun`)
    const text = (width: number) => batchDetails(this.#batch, width)
    if (this.#flags.json === true) await printAnswer(this.#flags, raw, text)
    else process.stdout.write(text(process.stdout.columns || WIDE))
    return counts.succeeded === counts.total ? exitCodes.done : exitCodes.batchFailed
  }

  #say(text: string): void {
    if (this.#flags.quiet !== true) process.stderr.write(`runbook-agent: ${oneLine(text)}\n`)
  }
}

/** The width of the table in a file or a pipe. */
const WIDE = 160

function isOver({ status }: BatchRead): boolean {
  return status !== 'waiting' && status !== 'running'
}
