import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes after which the buffers that have passed are collected. */
const EVERY_BYTES = 8 * 1024 * 1024
/** What the work for a buffer leaves behind on the heap. */
const WORK_BYTES = 8 * 1024
/** Size of the young generation, both halves, from which it no longer grows. More saves little. */
const LARGEST_BYTES = 4 * 1024 * 1024
/** The flags by which the user may have chosen a size. */
const OWN_CHOICE = /--(m(ax|in)[-_])?semi[-_]space[-_]/

let passedBytes = 0
let grows = true
let collect: (() => void) | undefined

/**
 * Call this for each piece of output and each packet. Their buffers are short-lived and lie outside the heap, where V8
 * notices too little of them: it lets tens of megabytes wait, and then collects the whole heap. A collection of
 * the young generation takes a third of a millisecond, and frees them.
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
 * Stops the growth of the young generation, which V8 would let grow to 32 MiB and shrinks only in `collectHeap`, on Node
 * 22 and 24. `--max-semi-space-size` has no effect after V8's start; the growth factor still has. It must not
 * change before the program is loaded: V8 takes compiled code only with the flags with which it was compiled.
 */
function limitYoungGeneration(): void {
  const shallGrow = youngBytes() < LARGEST_BYTES
  if (shallGrow === grows || isChosen()) return
  grows = shallGrow
  setFlagsFromString(`--semi-space-growth-factor=${grows ? 2 : 1}`)
}

/** Node has no call for a collection. */
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
