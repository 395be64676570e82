import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import type { AgentConfiguration } from '../../config.ts'
import type { Finding } from './finding.ts'
import { ok, warning } from './finding.ts'
import { inUnits } from './free-space.ts'

/** Code, stacks and buffers outside the heap: an agent that has served 120 MB of output was seen at 102 to 111 MB in all. */
const BESIDE_THE_HEAP = 96 * 1024 ** 2

/** Whether V8 would let the heap grow beyond what the container may have: the kernel would end the agent. */
export function checkMemory(
  { tailMemoryBytes }: Pick<AgentConfiguration, 'tailMemoryBytes'>,
  limit = process.constrainedMemory(),
  heap = getHeapStatistics().heap_size_limit,
): Finding {
  // libuv says 0 or an enormous number where there is no limit.
  const isLimited = limit > 0 && limit < totalmem()
  const available = isLimited ? limit : totalmem()
  const most = heap + tailMemoryBytes + BESIDE_THE_HEAP
  const found = `${inUnits(available)} ${isLimited ? 'limit' : 'machine, no limit'}, the agent may take ${inUnits(most)}: heap ${inUnits(heap)}, tails ${inUnits(tailMemoryBytes)}, rest ${inUnits(BESIDE_THE_HEAP)}`
  if (most <= available) return ok(found)
  return warning(
    found,
    `Commands need memory as well: raise the limit, set NODE_OPTIONS=--max-old-space-size=${megabytes(available)}, or lower output.tail-memory`,
  )
}

/** A quarter: the rest is for commands. */
function megabytes(bytes: number): number {
  return Math.max(64, Math.floor(bytes / 4 / 1024 ** 2))
}
