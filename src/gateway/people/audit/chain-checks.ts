import { within } from '../../../basics/abort.ts'
import { type auditContract, type ChainFault, MAX_FAULTS } from '../../../contract/audit.ts'
import { ChainCheck } from '../../../contract/audit-chain.ts'
import type { AuditHead } from '../../../contract/audit-entry.ts'
import type { AnswerOf } from '../../../contract/contract.ts'
import type { History } from '../../history/history.ts'
import type { LongWork } from '../../long-work.ts'

type ChainAnswer = AnswerOf<(typeof auditContract)['chain']>
type Verdict = NonNullable<ChainAnswer['verdict']>

/** A step reads at most 6 MB, and takes some milliseconds. */
const ENTRIES_PER_STEP = 500
/** A caller then gets the progress, and asks again. */
const WAIT_MS = 5000
/** Checks belong to no user: a check is one for all callers. */
const NOBODY = ''

interface Run {
  readonly check: ChainCheck
  readonly until: number
  readonly over: Promise<void>
}

/**
 * Checks the chain of the audit log while the gateway runs, in steps, so that other work goes on between
 * them. One check runs at a time. Its verdict holds until another entry is written.
 */
export class ChainChecks {
  readonly #history: History
  readonly #longWork: LongWork
  /**
   * The newest entry of an earlier check, or of the start. A chain without this entry was cut off or
   * rewritten since, which the chain itself does not show.
   */
  #known: AuditHead
  #verdict: Verdict | undefined
  #run: Run | undefined
  #isClosed = false

  /** @throws HistoryError */
  constructor(history: History, longWork: LongWork) {
    this.#history = history
    this.#longWork = longWork
    this.#known = this.#head
  }

  /**
   * Waits for the check of the newest entry, but for some seconds at most.
   * @param again true: checks also if no entry was written since the last check
   * @throws HistoryError, RequestRefused
   */
  async check(again = false): Promise<ChainAnswer> {
    if (this.#run === undefined && (again || this.#verdict?.hash !== this.#head.hash)) this.#begin()
    if (this.#run !== undefined) await within(this.#run.over, WAIT_MS)
    return { verdict: this.#verdict ?? null, checking: progressOf(this.#run) }
  }

  /** A running check reads nothing more. */
  close(): void {
    this.#isClosed = true
  }

  get #head(): AuditHead {
    return this.#history.read(({ audit }) => audit.head())
  }

  #begin(): void {
    const { anchor, head } = this.#history.read(({ audit }) => ({
      anchor: audit.anchor(),
      head: audit.head(),
    }))
    const check = new ChainCheck(anchor, this.#known.hash)
    const over = this.#finish(check, head.sequence).finally(() => (this.#run = undefined))
    // Callers may have stopped waiting.
    over.catch(() => undefined)
    this.#run = { check, until: head.sequence, over }
  }

  async #finish(check: ChainCheck, until: number): Promise<void> {
    for (let isOver = false; !isOver && !this.#isClosed;)
      isOver = await this.#longWork.run(NOBODY, () => this.#isClosed || this.#step(check, until))
    if (!this.#isClosed) this.#conclude(check)
  }

  /** @returns true at the end of the chain */
  #step(check: ChainCheck, until: number): boolean {
    return this.#history.read(({ audit }) => {
      check.passOver(audit.anchor())
      const links = audit.after(check.place.sequence, ENTRIES_PER_STEP)
      for (const link of links) if (link.sequence <= until) check.add(link)
      return (links.at(-1)?.sequence ?? until) >= until
    })
  }

  #conclude(check: ChainCheck): void {
    const { entries, first = null, head, faults, hasExpected } = check.result
    const anchor = this.#history.read(({ audit }) => audit.anchor())
    const isLost = !hasExpected && this.#known.sequence >= anchor.sequence
    const all = isLost ? [...faults, lost(this.#known)].slice(0, MAX_FAULTS) : faults
    this.#verdict = {
      is_whole: all.length === 0,
      checked_at: new Date().toISOString(),
      entries,
      first,
      ...head,
      faults: all,
    }
    if (!isLost) this.#known = head
  }
}

function lost({ sequence }: AuditHead): ChainFault {
  const says = `entry ${sequence}, which this gateway has seen, is missing or was replaced: the end of the log was cut off`
  return { sequence, fault: 'missing', says }
}

function progressOf(run: Run | undefined): ChainAnswer['checking'] {
  return run === undefined ? null : { sequence: run.check.place.sequence, until: run.until }
}
