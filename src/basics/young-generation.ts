import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** After this many bytes have passed, their buffers are collected. */
const EVERY_BYTES = 8 * 1024 * 1024
/** The work for one buffer leaves about this many bytes of other objects on the heap. */
const WORK_BYTES = 8 * 1024
/** Maximum size of the young generation, both halves together. A larger size saves little time. */
const MAX_YOUNG_BYTES = 4 * 1024 * 1024
/** Flags with which the user may have chosen a size. */
const OWN_CHOICE = /--(m(ax|in)[-_])?semi[-_]space[-_]/

let passedBytes = 0
let grows = true
let collect: (() => void) | undefined

/**
 * Call this for each piece of output and each packet. Their buffers are outside the heap, and V8 counts too
 * few of their bytes. V8 therefore waits until there are tens of megabytes, and then collects the whole heap.
 * A collection of the young generation takes only a third of a millisecond, and frees the buffers too.
 */
export function bufferPassed(bytes: number): void {
  passedBytes += bytes + WORK_BYTES
  if (passedBytes < EVERY_BYTES) return
  passedBytes = 0
  collect ??= youngCollector()
  collect()
  limitYoungGeneration()
}

/**
 * Stops the growth of the young generation. V8 would let it grow to 32 MiB. On Node 22 and 24 it shrinks only
 * in `collectHeap`. This function changes the growth factor, because `--max-semi-space-size` has no effect
 * after V8's start. Do not call it before the program is loaded: V8 accepts compiled code only if the flags
 * are the same as when the code was compiled.
 */
function limitYoungGeneration(): void {
  const shallGrow = youngBytes() < MAX_YOUNG_BYTES
  if (shallGrow === grows || isChosen()) return
  grows = shallGrow
  setFlagsFromString(`--semi-space-growth-factor=${grows ? 2 : 1}`)
}

/** Gets V8's `gc` function, because Node has no call for a collection of the young generation. */
function youngCollector(): () => void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (how: { readonly type: 'minor' }) => void
  setFlagsFromString('--no-expose-gc')
  return () => gc({ type: 'minor' })
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0
}

function isChosen(): boolean {
  return OWN_CHOICE.test([...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' '))
}
