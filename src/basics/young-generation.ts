import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Passed bytes after which their buffers are collected. */
const EVERY_BYTES = 8 * 1024 * 1024
/** Bytes on the heap that the work for one buffer leaves behind. */
const WORK_BYTES = 8 * 1024
/** Maximum size of the young generation, both halves together. A larger size saves little time. */
const LARGEST_BYTES = 4 * 1024 * 1024
/** Flags with which the user may have chosen a size. */
const OWN_CHOICE = /--(m(ax|in)[-_])?semi[-_]space[-_]/

let passedBytes = 0
let grows = true
let collect: (() => void) | undefined

/**
 * Call this for each piece of output and each packet. V8 counts too few bytes of their buffers, which are
 * outside the heap: tens of megabytes wait, and then V8 collects the whole heap. A collection of the young
 * generation takes a third of a millisecond, and frees the buffers.
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
 * Stops the growth of the young generation, which V8 would let grow to 32 MiB, and shrinks only in
 * `collectHeap`, on Node 22 and 24. `--max-semi-space-size` has no effect after V8's start, but the growth
 * factor has. Must not be called before the program is loaded: V8 accepts compiled code only with the flags
 * with which it was compiled.
 */
function limitYoungGeneration(): void {
  const shallGrow = youngBytes() < LARGEST_BYTES
  if (shallGrow === grows || isChosen()) return
  grows = shallGrow
  setFlagsFromString(`--semi-space-growth-factor=${grows ? 2 : 1}`)
}

/** Node has no call for a collection of the young generation. */
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
