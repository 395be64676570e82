import type { Logger } from '../../basics/logger.ts'
import { within } from '../../basics/abort.ts'
import { hasFault, RunbookError } from '../refusals/runbook-errors.ts'
import { localTip } from './local.ts'
import type { Mirror } from './mirror.ts'
import type { OldCopy } from './old-copy.ts'
import type { Remote } from '../settings/repositories.ts'

/** Minimum pause after a fetch that has exceeded the time or the size limit. */
const COSTLY_FAILURE_PAUSE_MS = 60_000
/** If a fetch takes longer, the previous copy is served, and the fetch continues. */
const PATIENCE_MS = 2_000
const SLOW = `fetching takes longer than ${PATIENCE_MS / 1000} s and continues`

interface RefresherOptions {
  readonly name: string
  readonly remote: Remote
  readonly branch: string | undefined
  readonly mirror: Mirror
  /** Returns `undefined` if no commit can be read. */
  readonly mirrorTip: () => Promise<string | undefined>
  /** For this time, a copy of a remote repository is fresh, and a failed fetch is not retried. */
  readonly refreshMs: number
  readonly log: Logger
  /** Aborts when the repository is closed. */
  readonly closing: AbortSignal
}

interface Flight {
  /** If the fetch has failed, resolves to the copy that is served instead. */
  readonly landed: Promise<OldCopy | undefined>
  readonly startedAt: number
  /** True if the log has said that this fetch is slow. */
  saidSlow: boolean
}

/**
 * Decides when to fetch. All callers share one fetch. A local repository is compared on each call, so a new
 * commit is seen at once. A remote repository is fetched when its last fetch was `refreshMs` ago. If the
 * fetch fails or takes long, the last good copy is served.
 */
export class Refresher {
  readonly #options: RefresherOptions
  #flight: Flight | undefined
  /** Time of the last fetch on the monotonic clock. */
  #fetchedAt = -Infinity
  #pause: { readonly until: number; readonly error: Error } | undefined

  constructor(options: RefresherOptions) {
    this.#options = options
  }

  /**
   * Fetches if the mirror is not fresh. Resolves to facts about the old copy if an old copy is served.
   * @throws RunbookError if there is no copy
   */
  async refresh(): Promise<OldCopy | undefined> {
    if (await this.#isFresh()) return undefined
    const { remote, mirror } = this.#options
    // A local repository never serves an old copy, because users expect the commit that they have just made.
    const copiedAt = remote.kind === 'local' ? undefined : await mirror.fetchedAt()
    if (copiedAt === undefined) return this.#makeFresh()
    const left = (this.#flight?.startedAt ?? performance.now()) + PATIENCE_MS - performance.now()
    if (left > 0) {
      const made = this.#makeFresh()
      if (await within(made, left)) return made
    }
    this.#warnAboutSlowness(copiedAt)
    return { copiedAt, reason: SLOW }
  }

  /**
   * Fetches even if the mirror is fresh, because a caller has named a commit that the mirror does not have.
   */
  async fetchNow(): Promise<void> {
    if (this.#flight !== undefined) await settled(this.#flight.landed)
    await this.#fetch()
  }

  /** Rebuilds the mirror, unless it was rebuilt since `generation`. Throws if the rebuild fails. */
  async rebuild(generation: number): Promise<void> {
    while (this.#flight !== undefined) await settled(this.#flight.landed)
    await this.#fly(async () => {
      if (generation !== this.#options.mirror.generation) return undefined
      const failure = await this.#attempt(() => this.#options.mirror.rebuild())
      if (failure !== undefined) throw failure
      return undefined
    })
  }

  /** Settles when no fetch is running. */
  async close(): Promise<void> {
    while (this.#flight !== undefined) await settled(this.#flight.landed)
  }

  async #makeFresh(): Promise<OldCopy | undefined> {
    if (this.#flight !== undefined) {
      // The running fetch may have begun before the caller's last commit, so the mirror is checked again.
      await settled(this.#flight.landed)
      if (await this.#isFresh()) return undefined
    }
    return this.#fetch()
  }

  async #isFresh(): Promise<boolean> {
    const { remote, branch, refreshMs } = this.#options
    if (remote.kind !== 'local') return performance.now() - this.#fetchedAt < refreshMs
    if ((await this.#options.mirror.fetchedAt()) === undefined) return false
    const tip = await localTip(remote.url, branch)
    return tip !== undefined && tip === (await this.#options.mirrorTip())
  }

  #fetch(): Promise<OldCopy | undefined> {
    return this.#fly(() => this.#fetchOrServeOld())
  }

  #fly(job: () => Promise<OldCopy | undefined>): Promise<OldCopy | undefined> {
    this.#flight ??= {
      landed: job().finally(() => {
        this.#flight = undefined
      }),
      startedAt: performance.now(),
      saidSlow: false,
    }
    return this.#flight.landed
  }

  #warnAboutSlowness(copiedAt: number): void {
    const flight = this.#flight
    if (flight === undefined || flight.saidSlow) return
    flight.saidSlow = true
    this.#options.log.warn(
      {
        repository: this.#options.name,
        reason: SLOW,
        ageSeconds: ageSeconds(copiedAt),
      },
      'runbook repository is slow; serving its last good copy',
    )
  }

  async #fetchOrServeOld(): Promise<OldCopy | undefined> {
    const { mirror, name, log, closing } = this.#options
    const alreadySaid = this.#isPaused()
    const failure = await this.#attempt(() => mirror.update())
    if (failure === undefined) return undefined
    const copiedAt = await mirror.fetchedAt()
    if (copiedAt === undefined || closing.aborted) throw failure
    const old = { copiedAt, reason: failure.message }
    if (alreadySaid) return old
    log.warn(
      { repository: name, reason: failure.message, ageSeconds: ageSeconds(copiedAt) },
      'cannot fetch runbook repository; serving its last good copy',
    )
    return old
  }

  /**
   * Runs the job and returns its error. During a pause, the job is not run, and the last error is returned
   * again.
   */
  async #attempt(job: () => Promise<void>): Promise<Error | undefined> {
    if (this.#isPaused()) return this.#pause?.error
    const startedAt = performance.now()
    try {
      // After close() nothing may be written to the state folder.
      this.#options.closing.throwIfAborted()
      await job()
    } catch (cause) {
      const error = isOurs(cause) ? cause : this.#uncopied(cause)
      this.#pause = { until: performance.now() + this.#pauseAfter(error), error }
      return error
    }
    this.#pause = undefined
    this.#fetchedAt = performance.now()
    const ms = Math.round(this.#fetchedAt - startedAt)
    this.#options.log.debug({ repository: this.#options.name, ms }, 'runbook repository fetched')
    return undefined
  }

  /** Makes the error for a failure of the system, for example without space, descriptor or permission. */
  #uncopied(cause: unknown): RunbookError {
    const text = `runbook repository ${this.#options.name} could not be copied`
    return new RunbookError(
      'repository',
      `${text}: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    )
  }

  #isPaused(): boolean {
    return this.#pause !== undefined && performance.now() < this.#pause.until
  }

  #pauseAfter(error: Error): number {
    const costly = hasFault(error, 'timeout', 'size')
    const usual = this.#options.remote.kind === 'local' ? 0 : this.#options.refreshMs
    return costly ? Math.max(usual, COSTLY_FAILURE_PAUSE_MS) : usual
  }
}

/**
 * Tells whether the message is meant for callers. Messages of system errors are not. System errors have a
 * `code`.
 */
function isOurs(cause: unknown): cause is Error {
  return cause instanceof RunbookError || (cause instanceof Error && !('code' in cause))
}

function settled(landed: Promise<unknown>): Promise<unknown> {
  return landed.catch(() => undefined)
}

function ageSeconds(copiedAt: number): number {
  return Math.max(0, Math.round((Date.now() - copiedAt) / 1000))
}
