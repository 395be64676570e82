import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Memory is collected after this time without commands. Collecting the whole heap blocks the event loop for
 * some 30 ms, so no work may be waiting.
 */
const QUIET_MS = 1000
/** Nothing is collected if the memory has grown by less than this number of bytes. */
const SPARE_BYTES = 16 * 1024 * 1024

/**
 * Returns memory to the system after the start and after each busy time. V8 and malloc do not know that a
 * busy time is over.
 */
export class IdleMemory {
  readonly #giveBack: () => void
  #leftBytes = 0
  #quiet: NodeJS.Timeout | undefined

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack
    this.running(0)
  }

  /** Call this after every change of the number of running commands. */
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

/** With these options, Node 24 frees more memory and shrinks the young generation. Node 20 ignores them. */
const THOROUGHLY = { type: 'major', execution: 'sync', flavor: 'last-resort' } as const

/**
 * Collects the whole heap, for which Node has no API. The second collection frees the pages that the first
 * one finds.
 */
export function collectHeap(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (how?: typeof THOROUGHLY) => void
  setFlagsFromString('--no-expose-gc')
  collect()
  collect(THOROUGHLY)
}
