import path from 'node:path'
import { URL } from 'node:url'
import { measureClients } from './clients.mjs'
import { openSite } from './site.mjs'

const AGENTS = ['ours', 'before', 'other node', 'go', 'smallest in Node']
const BALLAST = new URL('ballast.mjs', import.meta.url).href
const HEAPS_MB = [0, 100, 300, 600]

/**
 * The measures in their order. `of` lists the contestants of a measure of the driver. Slow measures have `once` and
 * run only in the first round.
 */
export const MEASURES = {
  start: { of: AGENTS },
  clients: { run: clients },
  output: { of: [...AGENTS, 'ssh', 'ControlMaster', 'pipe'] },
  lines: { of: [...AGENTS, 'pipe'] },
  stdin: { of: [...AGENTS, 'ssh', 'pipe'] },
  trip: { of: [...AGENTS, 'ssh', 'ControlMaster', 'pipe'] },
  rate: { of: [...AGENTS, 'ssh', 'pipe'] },
  rest: { run: throughRest },
  key: { of: [...AGENTS, 'ssh', 'pipe'] },
  held: { of: AGENTS },
  reader: { of: AGENTS },
  after: { of: AGENTS, once: true },
  'by-output': { of: [...AGENTS, 'ssh', 'pipe'], once: true },
  'by-environment': { of: AGENTS, once: true },
  'by-sessions': { of: AGENTS, once: true },
  'by-heap': { of: AGENTS, once: true, run: byHeap },
}

/**
 * Runs one measure of one round, with the contestants in turn.
 * @param {string} name
 * @param {Round} round
 * @typedef {{
 *   driver: import('./driver.mjs').Driver | undefined
 *   targets: Map<string, string[]>
 *   folder: string
 *   repository: string
 *   scale: number
 *   number: number
 *   record(figure: string, contestant: string, value: number): void }} Round `driver` is undefined where Go is not
 * installed
 */
export async function measure(name, round) {
  const { of, run = eachOf } = MEASURES[name]
  const turns = (of ?? []).filter((contestant) => round.targets.has(contestant))
  // The order alternates, so that other load of the machine affects the last contestant as often as the first.
  if (round.number % 2 === 1) turns.reverse()
  await run(round, name, turns)
}

async function eachOf({ driver, targets, record }, name, turns) {
  for (const contestant of turns) {
    const figures = await driver.measure(name, targets.get(contestant))
    for (const [figure, value] of Object.entries(figures)) record(`${name} ${figure}`, contestant, value)
  }
}

const SMALLEST = 'smallest '

async function clients({ record, ...round }) {
  await atSite(round, 'clients', (site, folder) => {
    const { node, ...ours } = measureClients(site, folder, round.scale)
    record('clients node ms', 'node', node)
    for (const [command, ms] of Object.entries(ours)) {
      const peer = command.startsWith(SMALLEST) ? 'smallest in Node' : 'ours'
      record(`clients ${command.replace(SMALLEST, '')} ms`, peer, ms)
    }
  })
}

async function throughRest({ driver, record, ...round }) {
  if (driver === undefined) return
  await atSite(round, 'rest', async (site) => {
    for (const name of ['trip', 'rate'])
      for (const [figure, value] of Object.entries(await driver.measure(name, site.target, site.env)))
        record(`rest ${figure}`, 'ours', value)
  })
}

async function atSite({ folder, number, repository }, name, work) {
  const at = path.join(folder, `${name}-${number}`)
  const site = await openSite(at, repository)
  try {
    await work(site, at)
  } finally {
    await site.close()
  }
}

/** Measures whether the start of a command takes longer when the agent uses more memory. */
async function byHeap({ driver, targets, record }, name, turns) {
  for (const mb of HEAPS_MB)
    for (const contestant of turns) {
      const env = { BALLAST_MB: String(mb), NODE_OPTIONS: `--import=${BALLAST}` }
      const figures = await driver.measure('trip', targets.get(contestant), env)
      record(`${name} ${mb}`, contestant, figures['p50 ms'])
    }
}
