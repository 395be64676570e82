import { setTimeout as delay } from 'node:timers/promises'
import { oneLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { call } from '../../../client/rest/call.ts'
import { fetchReview, groupNames } from '../../../client/rest/reviews.ts'
import { AWAY_MS, isPassing, longer } from '../../../client/running/follow.ts'
import { batchContract } from '../../../contract/batches.ts'
import { exitCodes, Failure, exitCodeOfSignal } from '../../exit-codes.ts'
import { readAccount } from '../asking/account.ts'
import {
  asking,
  unlessLacking,
  type AskingFlags,
  listingCommand,
  type ListingFlags,
  showingCommand,
  printAnswer,
} from '../asking/asking.ts'
import { clientFailure } from '../report/failures.ts'
import { Interrupts } from '../terminal/leaving.ts'
import { batchDetails, BATCH_COLUMNS, countsOf, differencesText, type BatchRead, endedText } from './texts.ts'

const listBatches = (account: Account) => call(account, batchContract.list, {})
export const LIST = {
  things: 'batches',
  endpoint: 'GET /api/batches',
  fetch: listBatches,
  columns: BATCH_COLUMNS,
}
const WHOLE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export function batchesCommand(flags: ListingFlags): Promise<number> {
  return listingCommand(flags, LIST)
}

export function batchCommand(id: string, flags: AskingFlags): Promise<number> {
  const fetch = (account: Account) => showBatch(account, id)
  return showingCommand(flags, `cannot show batch ${id}`, fetch, batchDetails)
}

export function diffCommand(id: string, flags: AskingFlags): Promise<number> {
  const compare = async (account: Account) =>
    call(account, batchContract.differences, { id: await wholeId(account, id) })
  return showingCommand(flags, `cannot compare batch ${id}`, compare, differencesText)
}

export interface StopFlags extends AskingFlags {
  readonly kill?: boolean
  readonly quiet?: boolean
}

export async function stopCommand(id: string, flags: StopFlags): Promise<number> {
  return asking(flags.profile, `cannot stop batch ${id}`, async (account) => {
    const body = { kill: flags.kill === true }
    const batch = await call(account, batchContract.stop, { id: await wholeId(account, id) }, { body })
    if (flags.quiet !== true) process.stderr.write(`${stoppedText(batch)}\n`)
  })
}

export async function execBatchCommand(id: string, flags: WatchFlags): Promise<number> {
  const account = readAccount(flags.profile)
  try {
    const batch = await showBatch(account, id)
    using interrupts = new Interrupts()
    return await watchBatch(account, batch, flags, interrupts)
  } catch (error) {
    throw clientFailure(error, oneLine(`cannot run batch ${id}`), account)
  }
}

export async function showBatch(account: Account, id: string): Promise<BatchRead> {
  return call(account, batchContract.show, { id: await wholeId(account, id) })
}

function stoppedText(batch: BatchRead): string {
  const { id, status } = batch
  const counts = countsOf(batch)
  const goes = status === 'running' ? `, ${runsText(counts.running, 'continues', 'continue')}` : ''
  return oneLine(
    `batch ${id} is ${status === 'running' ? 'stopping' : status}: ${notBegunText(counts.not_begun)}${goes}`,
  )
}

function notBegunText(count: number): string {
  return runsText(count, 'has not begun', 'have not begun')
}

function runsText(count: number, singular: string, plural: string): string {
  return count === 1 ? `1 run ${singular}` : `${count} runs ${plural}`
}

/**
 * Returns the only id that begins with the text.
 * @throws Failure with exit code 64 if not exactly one id matches; ApiError
 */
async function wholeId(account: Account, text: string): Promise<string> {
  if (WHOLE_ID.test(text)) return text.toLowerCase()
  const batches = await unlessLacking(account, LIST, listBatches(account))
  const found = batches.filter(({ id }) => text !== '' && id.startsWith(text.toLowerCase()))
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) return only.id
  const what = only === undefined ? 'no batch has' : `${found.length} batches have`
  throw new Failure(
    `${what} an id that begins with ${oneLine(text)}: runbook-agent batches lists all batches`,
    exitCodes.usage,
  )
}

export interface WatchFlags extends AskingFlags {
  readonly quiet?: boolean
}

/** The first wait is short, because a batch may be short. */
const FIRST_WAIT_MS = 250
const MAX_WAIT_MS = 2000

/**
 * Follows a batch to its end. The first Ctrl-C stops the batch. A second Ctrl-C also stops the running
 * sessions. While the batch waits for approval, Ctrl-C only ends this program.
 * @param interrupts catches signals since before the batch was created, so that no Ctrl-C is lost
 * @returns this program's exit code: 0 only if all runs succeeded
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
      wait = Math.min(longer(wait), MAX_WAIT_MS)
    }
    return this.#end()
  }

  /** @throws ApiError */
  async #look(): Promise<void> {
    const { id } = this.#batch
    this.#batch = await this.#patiently(() => call(this.#account, batchContract.show, { id }))
    if (this.#batch.status === 'waiting') await this.#beginIfApproved(this.#batch.review?.session_id ?? '')
    this.#tell()
  }

  async #beginIfApproved(session: string): Promise<void> {
    const review = await this.#patiently(() => fetchReview(this.#account, session))
    const isAutomatic = this.#batch.review?.when_approved === true
    if (review.status === 'APPROVED' && !isAutomatic) {
      this.#batch = await call(this.#account, batchContract.exec, { id: this.#batch.id })
      return
    }
    if (this.#isReviewTold || review.status === 'APPROVED') return
    this.#isReviewTold = true
    const groups = groupNames(review).join(', ')
    this.#say(
      `batch ${this.#batch.id} waits for approval by ${groups}: runbook-agent reviews show ${session}`,
    )
  }

  /**
   * Asks again while the gateway is away. Meanwhile the batch continues, or it is stopped when the gateway
   * restarts.
   */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    const since = performance.now()
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!isPassing(error) || performance.now() - since > AWAY_MS) throw error
        await delay(MAX_WAIT_MS)
      }
    }
  }

  async #stop(kill: boolean): Promise<void> {
    await call(this.#account, batchContract.stop, { id: this.#batch.id }, { body: { kill } })
    this.#say(
      kill
        ? 'stopping the running sessions'
        : 'stopping: no further runs start, and the running sessions continue (Ctrl-C again stops them)',
    )
  }

  #leave(signal: NodeJS.Signals): number {
    const { id, status, review } = this.#batch
    const isReady = status === 'waiting' && review?.when_approved !== true
    const way = isReady ? `runbook-agent batches exec ${id}` : `runbook-agent batches show ${id}`
    this.#say(
      `leaving: batch ${id} ${status === 'waiting' ? 'waits for approval' : 'continues'}. To return: ${way}`,
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
    const count = waves[wave - 1] ?? 0
    this.#say(`wave ${wave} of ${waves.length}: ${count} ${count === 1 ? 'connection' : 'connections'}`)
  }

  async #end(): Promise<number> {
    const { raw, stop } = this.#batch
    const counts = countsOf(this.#batch)
    if (stop !== undefined) this.#say(`stopped, ${stop.message}: ${notBegunText(counts.not_begun)}`)
    const text = (width: number) => batchDetails(this.#batch, width)
    if (this.#flags.json === true) await printAnswer(this.#flags, raw, text)
    else process.stdout.write(text(process.stdout.columns || WIDE))
    return counts.succeeded === counts.total ? exitCodes.done : exitCodes.batchFailed
  }

  #say(text: string): void {
    if (this.#flags.quiet !== true) process.stderr.write(`runbook-agent: ${oneLine(text)}\n`)
  }
}

/** Width of a line in columns if the output is a file or a pipe. */
const WIDE = 160

function isOver({ status }: BatchRead): boolean {
  return status !== 'waiting' && status !== 'running'
}
