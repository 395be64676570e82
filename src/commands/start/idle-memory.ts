import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Time since the last command. A collection of the whole heap takes some 30 ms, and nothing may be waiting for the
 * loop.
 */
const QUIET_MS = 1000
/** Growth of the memory that is worth a collection. */
const SPARE_BYTES = 16 * 1024 * 1024

/**
 * Gives memory back when the agent has become idle, once: V8 and malloc keep what a busy time took, since neither
 * learns that it is over.
 */
export class IdleMemory {
  readonly #giveBack: () => void
  #leftBytes = process.memoryUsage.rss()
  #quiet: NodeJS.Timeout | undefined

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack
  }

  /** @param count commands that run now; to be called whenever it has changed */
  running(count: number): void {
    clearTimeout(this.#quiet)
    if (count === 0) this.#quiet = setTimeout(() => this.#look(), QUIET_MS).unref()
  }

  #look(): void {
    if (process.memoryUsage.rss() < this.#leftBytes + SPARE_BYTES) return
    this.#giveBack()
    this.#leftBytes = process.memoryUsage.rss()
  }
}

/**
 * Collects the whole heap. Node has no call for it; the first collection only finds the pages that the second frees.
 */
export function collectHeap(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  collect()
  collect()
}
