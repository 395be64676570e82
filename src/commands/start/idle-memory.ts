import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Time since the last command. A collection of the whole heap blocks the loop for some 30 ms, so no work may
 * be waiting.
 */
const QUIET_MS = 1000
/** Growth of the memory in bytes that is worth a collection. */
const SPARE_BYTES = 16 * 1024 * 1024

/**
 * Gives memory back once when the agent has become idle, and after its start, which is a busy time, too. V8 and
 * malloc keep the memory of a busy time, since neither knows that it is over.
 */
export class IdleMemory {
  readonly #giveBack: () => void
  #leftBytes = 0
  #quiet: NodeJS.Timeout | undefined

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack
    this.running(0)
  }

  /** Call it whenever the number of running commands has changed. @param count commands that run now */
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

/** Node 24 frees what it can with it, and shrinks the young generation. Node 20 ignores it. */
const THOROUGHLY = { type: 'major', execution: 'sync', flavor: 'last-resort' } as const

/**
 * Collects the whole heap. Node has no call for it; the first collection only finds the pages that the second
 * frees.
 */
export function collectHeap(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (how?: typeof THOROUGHLY) => void
  setFlagsFromString('--no-expose-gc')
  collect()
  collect(THOROUGHLY)
}
