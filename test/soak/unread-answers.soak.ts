import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../support/sites/site.ts'
import { attack, healthWait, Memory } from '../support/unread/attack.ts'
import { fillHistory } from '../support/unread/filled-history.ts'
import {
  ATTACKED_SITE,
  madeThings,
  READING_ROUTES,
  ROUTES_OF_NO_CONTRACT,
  type Things,
} from '../support/unread/reading-routes.ts'

/** `ROUTE=/api/reviews ATTACKERS=4 npm run test:soak -- unread-answers`: one route, for several users at once. */
const only = process.env['ROUTE']
const attackers = Number(process.env['ATTACKERS'] ?? 1)
const HOLD_MS = 3000
const PAUSE_MS = 20
/** Longest wait for the first answer, which fills the caches of a new process. */
const WARM_MS = 10_000
const GROWTH_MIB = 200
const STOP_MS = 5000
const CONNECTIONS = 30
const PIPELINED = 10

let state: string
let site: Site
let things: Things
beforeAll(async () => {
  state = mkdtempSync(path.join(tmpdir(), 'unread-'))
  fillHistory(state, { reviews: 1000, long: 100, labelBytes: 1024 * 1024 })
  const users = Object.fromEntries(Array.from({ length: attackers }, (_, at) => [`admin-${at}`, ['admin']]))
  site = await Site.start({ ...ATTACKED_SITE, state, users })
  things = await madeThings(site)
  await site.gateway.stop()
}, 300_000)
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  rmSync(state, { recursive: true })
})

const routes = [...Object.keys(READING_ROUTES), ...ROUTES_OF_NO_CONTRACT]

describe('answers that nobody reads', () => {
  it.each(routes.filter((route) => only === undefined || route === only))(
    'of %s do not fill the memory of a new gateway, let others be answered, and do not keep the gateway from stopping',
    async (route) => {
      await site.startGateway()
      const { address, gateway } = site
      // A link to a download can be used once.
      const urlOf = async () => (await READING_ROUTES[route]?.(things, site)) ?? route
      const tokens = Array.from({ length: attackers }, (_, at) => site.tokenOf(`admin-${at}`))
      const [token = ''] = tokens
      const warm = await sizeOf(`http://${address}${await urlOf()}`, token)
      const url = await urlOf()
      const memory = new Memory(gateway)
      const before = memory.restart()
      const sockets = await attack({ address, url, tokens, connections: CONNECTIONS, pipelined: PIPELINED })
      const waits: number[] = []
      for (const end = Date.now() + HOLD_MS; Date.now() < end;) {
        waits.push(await healthWait(address))
        await delay(PAUSE_MS)
      }
      const growth = memory.peak - before
      const asked = performance.now()
      const ending = await gateway.stop()
      const stopped = performance.now() - asked
      for (const socket of sockets) socket.destroy()
      const figures = [growth.toFixed(0), Math.max(...waits).toFixed(0), stopped.toFixed(0)]
      console.log(`unread | ${route} | ${warm} | ${before.toFixed(0)} +${figures.join(' | ')}`)
      expect(ending.code).toBe(0)
      expect(growth).toBeLessThan(GROWTH_MIB)
      expect(stopped).toBeLessThan(STOP_MS)
    },
  )
})

/** Returns the status and the size of the answer; a stream has no end. */
async function sizeOf(url: string, token: string): Promise<string> {
  try {
    const headers = { authorization: `Bearer ${token}`, connection: 'close' }
    const answer = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(WARM_MS) })
    return `${answer.status}, ${(await answer.arrayBuffer()).byteLength} bytes`
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return 'no end'
    throw error
  }
}
