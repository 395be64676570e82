import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../../basics/logger.ts'
import type { RepositorySettings } from '../settings/settings.ts'
import { parseRemote, repositoryKey } from '../settings/repositories.ts'
import { REFRESH_MS, RunbookRepository } from './repository.ts'

export interface NamedRepository {
  readonly name: string
  /**
   * Name in requests, addresses and labels: hoop's key `<host>/<path without .git>`. A folder of this machine
   * has the name from the settings instead, because its path stays secret.
   */
  readonly key: string
  /** hoop's key, which a folder has too. Requests may use this key instead of `key`. */
  readonly hoopKey: string
  /** URL without credentials. */
  readonly gitUrl: string
  /** Time for which a fetched commit counts as fresh. */
  readonly refreshMs: number
  readonly repository: RunbookRepository
}

interface OpenRepository extends NamedRepository {
  readonly settings: RepositorySettings
}

interface LeavingRepository extends Pick<NamedRepository, 'name' | 'repository'> {
  /** Settles when the repository is closed. */
  readonly left: Promise<void>
}

/**
 * The repositories of the settings. A reload may replace repositories while runbooks are read. Therefore find
 * a repository by its name for each read, and begin the read before the next `await`.
 */
export class Repositories {
  readonly #stateDir: string
  readonly #log: Logger
  #open: readonly OpenRepository[] = []
  /** Replaced repositories that still have readers, in the order of their replacement. */
  #leaving: readonly LeavingRepository[] = []

  /** @param stateDir folder above the mirrors */
  constructor(stateDir: string, log: Logger) {
    this.#stateDir = stateDir
    this.#log = log
  }

  /** All open repositories, in the order of the settings. */
  get all(): readonly NamedRepository[] {
    return this.#open
  }

  named(name: string | undefined): NamedRepository | undefined {
    return this.#open.find((one) => one.name === name)
  }

  /**
   * Finds a repository by its name in gateway.yaml or by hoop's key. Requests and records contain one of
   * them.
   */
  called(name: string): NamedRepository | undefined {
    return this.#open.find((one) => one.name === name || one.hoopKey === name)
  }

  /**
   * Opens repositories that are new or changed, and returns them. A replaced repository is closed when its
   * last reader is done.
   * @throws RunbookError; then nothing has changed
   */
  replace(settings: readonly RepositorySettings[]): readonly NamedRepository[] {
    const before = this.#open
    const now = settings.map((one) => before.find((old) => isSame(old, one)) ?? this.#opened(one))
    this.#open = now
    for (const old of before) if (!now.includes(old)) this.#retire(old)
    return now.filter((one) => !before.includes(one))
  }

  /** Ends git's processes and waits for them. Rejects running reads. */
  async close(): Promise<void> {
    await Promise.all([...this.#open, ...this.#leaving].map(({ repository }) => repository.close()))
    await Promise.all(this.#leaving.map(({ left }) => left))
  }

  #opened(settings: RepositorySettings): OpenRepository {
    const { name, url, refreshMs = REFRESH_MS } = settings
    const repository: RunbookRepository = RunbookRepository.open({
      ...settings,
      stateDir: this.#stateDir,
      log: this.#log,
      before: () => this.#left(name, repository),
    })
    const { kind, url: gitUrl } = parseRemote(url)
    const hoopKey = repositoryKey(url)
    const key = kind === 'local' ? name : hoopKey
    return { name, key, hoopKey, gitUrl, refreshMs, repository, settings }
  }

  #retire({ name, repository }: OpenRepository): void {
    const left = repository.retire().then(() => {
      this.#leaving = this.#leaving.filter((one) => one.repository !== repository)
    })
    this.#leaving = [...this.#leaving, { name, repository, left }]
  }

  /** Settles when earlier repositories of this name no longer use the mirror that they share. */
  async #left(name: string, repository: RunbookRepository): Promise<void> {
    const own = this.#leaving.findIndex((one) => one.repository === repository)
    const before = this.#leaving.slice(0, own === -1 ? undefined : own).filter((one) => one.name === name)
    await Promise.all(before.map(({ left }) => left))
  }
}

function isSame({ settings }: OpenRepository, other: RepositorySettings): boolean {
  return isDeepStrictEqual(settings, other)
}
