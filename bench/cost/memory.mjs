import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { URL } from 'node:url'
import { executeInBatches, perExecution } from './executions.mjs'

const REPORT = new URL('heap-report.mjs', import.meta.url).href
/** Prevents garbage collections, and optimised code that skips some allocations. */
const NODE_ARGS = ['--min-semi-space-size=256', '--max-semi-space-size=256', '--no-opt', '--import', REPORT]
const LONGEST_MS = 20_000

/**
 * Returns the bytes that one execution allocates on V8's heap and outside of it, and the packets and bytes that it
 * sends.
 * @param {string} folder
 * @returns {Promise<Record<string, number>>}
 */
export async function countMemory(folder) {
  const place = path.join(folder, 'heap')
  const marks = { heap: [], external: [], packets: [], bytes: [] }
  await executeInBatches(folder, { nodeArgs: NODE_ARGS }, { HEAP_REPORT: place }, async (batch, world) => {
    marks.packets.push(world.gateway.received.packets)
    marks.bytes.push(world.gateway.received.bytes)
    world.agent.signal('SIGWINCH')
    const { used_heap_size, external_memory } = await reportAt(`${place}-${batch}`)
    marks.heap.push(used_heap_size / 1024)
    marks.external.push(external_memory / 1024)
  })
  return {
    'heap, KiB': perExecution(marks.heap),
    'memory beside the heap, KiB': perExecution(marks.external),
    'packets to the gateway': perExecution(marks.packets),
    'bytes to the gateway': perExecution(marks.bytes),
  }
}

async function reportAt(file) {
  for (const late = Date.now() + LONGEST_MS; Date.now() < late; await delay(10))
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'))
  throw new Error('the agent did not report its heap')
}
