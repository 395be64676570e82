import { afterEach, beforeEach, expect, it } from 'vitest'
import { descendantsOf, descriptorsOf, isAlive, memoryOf, peakMemoryOf } from '../support/processes.ts'
import { ScriptedClient } from '../support/scripted-client.ts'
import { Site } from '../support/site.ts'
import { found, waitFor } from '../support/wait.ts'

const CONSOLES = 50
const LINES = 20_000
const ROUNDS = 5
/** What garbage and a fuller history may differ by. */
const GROWTH_MB = 25

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
  await waitFor(() => descendantsOf(site.agent.pid).length === 0, 20_000)
}

function held(): Record<string, number> {
  const of = (name: string, pid: number) => [
    [`${name}, MB`, Math.round(memoryOf(pid))],
    [`${name}, descriptors`, descriptorsOf(pid)],
  ]
  return Object.fromEntries([...of('agent', site.agent.pid), ...of('gateway', site.gateway.pid)]) as Record<
    string,
    number
  >
}

it(`${CONSOLES} consoles at once, each with ${LINES} lines of its own: no mix-up, and everything is given back`, async () => {
  await round()
  const before = held()
  for (let n = 0; n < ROUNDS; n++) await round()
  const after = held()
  console.log(`${CONSOLES} consoles`, { before, after, peak: Math.round(peakMemoryOf(site.agent.pid)) })
  for (const name of ['agent', 'gateway']) {
    expect(after[`${name}, descriptors`]).toBeLessThanOrEqual((before[`${name}, descriptors`] ?? 0) + 2)
    expect(after[`${name}, MB`]).toBeLessThanOrEqual((before[`${name}, MB`] ?? 0) + GROWTH_MB)
  }
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
  await waitFor(() => !processes.some(isAlive), 20_000)
  for (const client of clients) await client.leave()
})
