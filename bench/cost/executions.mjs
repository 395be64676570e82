import path from 'node:path'
import { Program } from '../program.mjs'
import { ScriptedGateway } from '../scripted-gateway.mjs'

/**
 * Number of executions before the first batch. After them, everything that is loaded, compiled or filled only once is
 * ready.
 */
const WARM_UP = 100
export const BATCHES = 8
export const BATCH = 25

/**
 * Runs executions on an agent in batches, one execution after the other.
 * @param {string} folder
 * @param {ConstructorParameters<typeof Program>[3]} how
 * @param {Record<string, string>} env
 * @param {(batch: number, world: { agent: Program, gateway: ScriptedGateway }) => unknown} mark
 * called before the first batch and after each batch
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
 * Returns the amount that one execution adds to a growing count: the minimum of the batches in which the count grew.
 * On a busy machine, timers and output in more pieces add to a batch, and nothing makes a batch smaller.
 * @param {readonly number[]} marks
 */
export function perExecution(marks) {
  const grown = marks.slice(1).map((value, n) => value - marks[n])
  const whole = grown.filter((value) => value > 0)
  return whole.length === 0 ? 0 : Math.round((Math.min(...whole) / BATCH) * 1000) / 1000
}
