import type { Logger } from '../../basics/logger.ts'
import { within } from '../../basics/abort.ts'
import { hasFault, RunbookError } from '../refusals/runbook-errors.ts'
import { localTip } from './local.ts'
import type { Mirror } from './mirror.ts'
import type { OldCopy } from './old-copy.ts'
import type { Remote } from '../settings/repositories.ts'

/** After a fetch that has reached the time or the size limit, the next one waits at least this long. */
const COSTLY_FAILURE_PAUSE_MS = 60_000
/** If a fetch takes longer, the previous copy is served. The fetch continues. */
const PATIENCE_MS = 2_000
const SLOW = `fetching takes longer than ${PATIENCE_MS / 1000} s and continues`

interface RefresherOptions {
  readonly name: string
  readonly remote: Remote
  readonly branch: string | undefined
  readonly mirror: Mirror
  /** The mirror's commit; `undefined` if no commit can be read. */
  readonly mirrorTip: () => Promise<string | undefined>
  /**
   * Time in ms for which a copy of a remote repository counts as fresh, and a failed fetch is not retried.
   */
  readonly refreshMs: number
  readonly log: Logger
  /** Aborts when the repository is closed. */
  readonly closing: AbortSignal
}

interface Flight {
  /** Settles with the copy that is served instead, where the fetch failed. */
  readonly landed: Promise<OldCopy | undefined>
  readonly startedAt: number
  /** Whether the log has said that this fetch is slow. */
  saidSlow: boolean
}

/**
 * Decides when to fetch, and lets all callers share one fetch. A local repository is compared on each call,
 * so that a commit made just before is seen. A remote one is fetched when the last fetch is `refreshMs` ago.
 * When the fetch fails, or takes long, the last good copy is served, and the log says so.
 */
export class Refresher {
  readonly #options: RefresherOptions
  #flight: Flight | undefined
  /** Time on the monotonic clock, like all times here. */
  #fetchedAt = -Infinity
  #pause: { readonly until: number; readonly error: Error } | undefined

  constructor(options: RefresherOptions) {
    this.#options = options
  }

  /**
   * Settles when the mirror is fresh, or may be served as it is: then with the facts about the old copy.
   * Throws a RunbookError if there is no copy.
   */
  async refresh(): Promise<OldCopy | undefined> {
    if (await this.#isFresh()) return undefined
    const { remote, mirror } = this.#options
    // An old copy of a local repository is never served, because a user who has just committed expects to see
    // the commit.
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

  /** Fetches in any case, unlike `refresh`: a caller knows of a commit that is missing here. */
  async fetchNow(): Promise<void> {
    if (this.#flight !== undefined) await settled(this.#flight.landed)
    await this.#fetch()
  }

  /** Rebuilds a broken mirror, but only if it is still the one of `generation`. Throws if that fails. */
  async rebuild(generation: number): Promise<void> {
    while (this.#flight !== undefined) await settled(this.#flight.landed)
    await this.#fly(async () => {
      if (generation !== this.#options.mirror.generation) return undefined
      const failure = await this.#attempt(() => this.#options.mirror.rebuild())
      if (failure !== undefined) throw failure
      return undefined
    })
  }

  /** Settles once no fetch is running. */
  async close(): Promise<void> {
    while (this.#flight !== undefined) await settled(this.#flight.landed)
  }

  async #makeFresh(): Promise<OldCopy | undefined> {
    if (this.#flight !== undefined) {
      // This fetch may have begun before our caller's last commit, so the freshness is checked again after
      // it.
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
   * Runs the job.
   * @returns the error, if there was one. During a pause nothing is tried, and the error is the last one.
   */
  async #attempt(job: () => Promise<void>): Promise<Error | undefined> {
    if (this.#isPaused()) return this.#pause?.error
    const startedAt = performance.now()
    try {
      // Checked here too: after close() nothing may be written to the state folder any more.
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

  /** Returns the error for refusals of the system: no space, no descriptor, no right. */
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

/** Whether the error has a text for callers. The system's errors have a code, and no such text. */
function isOurs(cause: unknown): cause is Error {
  return cause instanceof RunbookError || (cause instanceof Error && !('code' in cause))
}

function settled(landed: Promise<unknown>): Promise<unknown> {
  return landed.catch(() => undefined)
}

function ageSeconds(copiedAt: number): number {
  return Math.max(0, Math.round((Date.now() - copiedAt) / 1000))
}
