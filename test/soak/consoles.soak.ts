import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  descendantsOf,
  descriptorsOf,
  isAlive,
  memoryOf,
  peakMemoryOf,
} from '../support/machine/processes.ts'
import { ScriptedClient } from '../support/scripted/scripted-client.ts'
import { Site } from '../support/sites/site.ts'
import { found, waitFor } from '../support/wait.ts'

const CONSOLES = 50
const LINES = 20_000
const WARM_UP = 3
const ROUNDS = 5
/** What the allocator keeps when by chance more of them write in the same moment; it happens once and not in each round. */
const GROWTH_MB = 40

let site: Site

beforeEach(async () => {
  const command = ['bash', '--norc', '--noprofile']
  site = await Site.start({ connections: [{ name: 'console', command, env: { PS1: '$ ' } }] })
})
afterEach(async () => {
  await site[Symbol.asyncDispose]()
})

async function connected(): Promise<ScriptedClient> {
  const authorization = `Bearer ${site.token}`
  const client = new ScriptedClient(site.grpc, {
    authorization,
    'connection-name': 'console',
    verb: 'connect',
  })
  await client.connect()
  await client.shows('$ ')
  return client
}

/** One console that writes lines with its own word and number, all checked, and leaves with a code of its own. */
async function one(number: number): Promise<void> {
  const client = await connected()
  const word = `word-${number}-${Math.random().toString(36).slice(2)}`
  client.type(`stty -echo; for i in $(seq 1 ${LINES}); do echo "${word} $i"; done; exit ${number}\r`)
  const { stdout, code } = await client.ended()
  expect(code).toBe(number)
  // Before the first stands what the line editor does when a command begins.
  const written = stdout.match(/word-\S+ \d+(?=\r\n)/g)
  expect(written).toEqual(Array.from({ length: LINES }, (_, i) => `${word} ${i + 1}`))
  await client.leave()
}

async function round(): Promise<void> {
  await Promise.all(Array.from({ length: CONSOLES }, (_, number) => one(number)))
  await waitFor(() => descendantsOf(site.agent.pid).length === 0)
}

const pids = () => [site.agent.pid, site.gateway.pid]
const memory = () => pids().map((pid) => Math.round(memoryOf(pid)))

it(`${CONSOLES} consoles at once, each with ${LINES} lines of its own: no mix-up, and everything is given back`, async () => {
  const idle = pids().map(descriptorsOf)
  // The gateway's heap has its size after some rounds: 217 MB after 6, 222 MB after 16.
  for (let n = 0; n < WARM_UP; n++) await round()
  const before = memory()
  for (let n = 0; n < ROUNDS; n++) await round()
  // The gateway notices a moment later that a client has gone.
  await waitFor(() => pids().every((pid, i) => descriptorsOf(pid) <= (idle[i] ?? 0) + 2))
  const after = memory()
  const peak = Math.round(peakMemoryOf(site.agent.pid))
  console.log(`agent and gateway after ${WARM_UP} and ${WARM_UP + ROUNDS} times ${CONSOLES} consoles`, {
    before,
    after,
    peak,
  })
  after.forEach((mb, i) => expect(mb - (before[i] ?? 0)).toBeLessThanOrEqual(GROWTH_MB))
})

const ends: readonly (readonly [string, (clients: readonly ScriptedClient[]) => Promise<unknown>])[] = [
  ['their clients leave', (clients) => Promise.all(clients.map((client) => client.leave()))],
  [
    'they are killed over REST',
    async (clients) => {
      for (const client of clients) expect(await site.rest.kill(await client.sid())).toBe(204)
    },
  ],
  [
    'the gateway is killed',
    () => {
      site.gateway.signal('SIGKILL')
      return site.gateway.ended()
    },
  ],
  [
    'the agent is told to stop, twice',
    async () => {
      site.agent.signal('SIGTERM')
      await site.agent.says('stderr', /agent draining/)
      site.agent.signal('SIGTERM')
      return site.agent.ended()
    },
  ],
]
it.each(ends)(`${CONSOLES} consoles with a job each are gone when %s`, async (_, end) => {
  const clients = await Promise.all(Array.from({ length: CONSOLES }, connected))
  for (const client of clients) client.type('sleep 1000\r')
  const processes = await found(() => {
    const all = descendantsOf(site.agent.pid)
    return all.length === 2 * CONSOLES ? all : undefined
  }, 20_000)
  await end(clients)
  await waitFor(() => !processes.some(isAlive))
  for (const client of clients) await client.leave()
})
