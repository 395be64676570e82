import path from 'node:path'
import { Program } from '../program.mjs'
import { ScriptedGateway } from '../scripted-gateway.mjs'

/** Long enough for what is loaded, compiled and filled only once. */
const WARM_UP = 100
export const BATCHES = 8
export const BATCH = 25

/**
 * An agent that executes, one after the other, in batches.
 * @param {string} folder
 * @param {ConstructorParameters<typeof Program>[3]} how
 * @param {Record<string, string>} env
 * @param {(batch: number, world: { agent: Program, gateway: ScriptedGateway }) => unknown} mark
 *   called before the first batch and behind each
 */
export async function executeInBatches(folder, how, env, mark) {
  const gateway = await ScriptedGateway.start()
  const key = { HOOP_KEY: gateway.key, PATH: '/usr/local/bin:/usr/bin:/bin' }
  const agent = new Program(['start'], { ...key, ...env }, path.join(folder, 'agent'), how)
  await agent.started(gateway.connected)
  await execute(gateway, WARM_UP)
  for (let batch = 0; batch <= BATCHES; batch++) {
    if (batch > 0) await execute(gateway, BATCH)
    await mark(batch, { agent, gateway })
  }
  await agent.stop()
  gateway.stop()
}

async function execute(gateway, times) {
  for (let n = 0; n < times; n++) {
    let output = ''
    await gateway.execute(['bash'], 'echo ok', 'client-api', (bytes) => (output += bytes.toString()))
    if (output !== 'ok\n') throw new Error(`bash put out ${JSON.stringify(output)}`)
  }
}

/**
 * Of a count that only grows, what one execution adds to it: the least of the batches in which it grew. Timers that a busy
 * machine lets fire, and output that comes in more pieces, add to a batch, and nothing takes away from one.
 * @param {readonly number[]} marks
 */
export function perExecution(marks) {
  const grown = marks.slice(1).map((value, n) => value - marks[n])
  const whole = grown.filter((value) => value > 0)
  return whole.length === 0 ? 0 : Math.round((Math.min(...whole) / BATCH) * 1000) / 1000
}
