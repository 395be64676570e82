// Loaded only by the agent: other commands load this file, too.
const v8 = () => process.getBuiltinModule('node:v8')

/** Number of parallel commands with so much garbage that half as many collections are worth some memory. */
const MANY = 16
/**
 * Both halves of 2 MiB. From 4 MiB on, bulk output on Node 24 costs twice the CPU: V8 then collects the whole
 * heap.
 */
const LARGEST_BYTES = 4 * 1024 * 1024
/** The flags by which the user may have chosen a size. */
const OWN_CHOICE = /--(m(ax|in)[-_])?semi[-_]space[-_]/

let grows = true

/**
 * Call it before other modules are loaded, since loading makes the young generation grow. Output passes in
 * short-lived buffers outside the heap; collected early, they cost less memory and CPU. `--max-semi-space-size` has
 * no effect after V8's start; the growth factor still has. V8 takes code that was made before only with the flags
 * that it was made with: Node's own modules are compiled anew, which costs 20 ms of CPU.
 */
export function keepYoungGenerationSmall(): void {
  fitYoungGeneration(0)
}

/**
 * Lets the young generation grow to 2 MiB while many commands run. In one process of a hundred V8 jumps to 4
 * MiB. A collection when the agent is idle (`collectHeap`) shrinks it again, on Node 24.
 */
export function fitYoungGeneration(running: number): void {
  const shallGrow = running >= MANY && youngBytes() < LARGEST_BYTES
  if (shallGrow === grows || isChosen()) return
  grows = shallGrow
  v8().setFlagsFromString(`--semi-space-growth-factor=${grows ? 2 : 1}`)
}

function youngBytes(): number {
  return (
    v8()
      .getHeapSpaceStatistics()
      .find((space) => space.space_name === 'new_space')?.space_size ?? 0
  )
}

function isChosen(): boolean {
  return OWN_CHOICE.test([...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' '))
}
