import { errnoOf } from '../../basics/errors.ts'
import { closeSync, lstatSync, openSync, rmSync } from 'node:fs'

/** A rotation takes less than a millisecond. A lock older than this belongs to an agent that died with it. */
const STALE_MS = 10_000

/** A lock file that exists while one of the agents rotates. Disposing removes it. */
export class RotationLock implements Disposable {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** Does not wait: returns undefined when another agent holds the lock. */
  static take(path: string): RotationLock | undefined {
    if (!create(path)) {
      if (!isStale(path)) return undefined
      rmSync(path, { force: true })
      if (!create(path)) return undefined
    }
    return new RotationLock(path)
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { force: true })
  }
}

function create(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600))
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Checks both directions, since the clock may have been set back. */
function isStale(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) > STALE_MS
}
