import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { executors } from './executors.mjs'
import { measureOutput } from './output.mjs'
import { percentile } from './samples.mjs'
import { IN_FLIGHT, World } from './world.mjs'

/** After its start a program still does what it put off; then it is idle. */
const SETTLE_MS = 1000
const WARM_UP = 60
const ROUND_TRIPS = 150
const IN_A_ROW = 400

/**
 * Starts everything anew, measures every figure once, and gives everything back.
 * @param {string} folder for what is written
 * @param {{ repository: string, bulk: ReturnType<typeof import('./output.mjs').makeBulk> }} materials
 * @param {import('./samples.mjs').Samples} samples
 */
export async function runRound(folder, { repository, bulk }, samples) {
  const world = await World.open(folder, repository)
  await delay(SETTLE_MS)
  atRest(world, samples)
  const ways = executors(world)
  await warmUp(ways)
  await roundTrips(ways, samples)
  for (const name of ['gRPC, sh', 'REST, sh', 'REST, runbook']) await rate(world, ways, name, samples)
  await measureOutput(world, bulk, samples)
  samples.add('RSS after the load, agent', 'MiB', world.agent.rssMiB())
  samples.add('RSS after the load, gateway', 'MiB', world.gateway.rssMiB())
  await world.close()
}

function atRest({ startMs, agent, gateway }, samples) {
  samples.add('start to connected, agent', 'ms', startMs.agent)
  samples.add('start to ready, gateway', 'ms', startMs.gateway)
  samples.add('idle RSS, agent', 'MiB', agent.rssMiB())
  samples.add('idle RSS, gateway', 'MiB', gateway.rssMiB())
}

async function warmUp(ways) {
  for (const run of Object.values(ways)) await concurrently(WARM_UP, 4, (n) => run(`warm-${n}`))
}

/** One of each in turn, so that what the machine does besides meets all of them. */
async function roundTrips(ways, samples) {
  const names = Object.keys(ways)
  const ms = new Map(names.map((name) => [name, []]))
  for (let n = 0; n < ROUND_TRIPS; n++) {
    for (const name of names) {
      const startedAt = performance.now()
      await ways[name]('')
      ms.get(name).push(performance.now() - startedAt)
    }
  }
  for (const [name, values] of ms) {
    samples.add(`round trip p50 (${name})`, 'ms', percentile(values, 50))
    samples.add(`round trip p99 (${name})`, 'ms', percentile(values, 99))
  }
}

/** CPU time beside the rate: other people's load on the machine hardly touches it. */
async function rate(world, ways, name, samples) {
  const programs = name.startsWith('REST')
    ? { agent: world.gatewaysAgent, gateway: world.gateway }
    : { agent: world.agent }
  const before = Object.entries(programs).map(([role, program]) => [role, program, program.cpuMs()])
  const startedAt = performance.now()
  await concurrently(IN_A_ROW, IN_FLIGHT, (n) => ways[name](`word-${n}`))
  const seconds = (performance.now() - startedAt) / 1000
  samples.add(`rate at ${IN_FLIGHT} in flight (${name})`, 'executions/s', IN_A_ROW / seconds)
  for (const [role, program, cpuMs] of before) {
    samples.add(`CPU of the ${role} (${name})`, 'ms/execution', (program.cpuMs() - cpuMs) / IN_A_ROW)
  }
}

async function concurrently(count, inFlight, run) {
  let next = 0
  const worker = async () => {
    while (next < count) await run(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}
