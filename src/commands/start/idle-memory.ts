import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Time since the last command. A collection of the whole heap blocks the event loop for some 30 ms, so no
 * work may be waiting.
 */
const QUIET_MS = 1000
/** Minimum growth of the memory in bytes before a collection. */
const SPARE_BYTES = 16 * 1024 * 1024

/**
 * Returns memory to the system once after each busy time of the agent; the start is a busy time, too. V8 and
 * malloc keep the memory of a busy time because they do not know that this time is over.
 */
export class IdleMemory {
  readonly #giveBack: () => void
  #leftBytes = 0
  #quiet: NodeJS.Timeout | undefined

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack
    this.running(0)
  }

  /** The caller calls this after every change of the number of running commands. @param count this number */
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
 * With these options, Node 24 frees more memory and shrinks the young generation. Node 20 ignores the
 * options.
 */
const THOROUGHLY = { type: 'major', execution: 'sync', flavor: 'last-resort' } as const

/**
 * Collects the whole heap, for which Node has no API. The first collection only finds the pages that the second
 * collection frees.
 */
export function collectHeap(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (how?: typeof THOROUGHLY) => void
  setFlagsFromString('--no-expose-gc')
  collect()
  collect(THOROUGHLY)
}
