import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OPERATIONS } from '../../../src/gateway/rest/resources.ts'
import { Site } from '../../support/sites/site.ts'
import { attack, healthWait, Memory } from '../../support/unread/attack.ts'
import { fillHistory } from '../../support/unread/filled-history.ts'
import {
  ATTACKED_SITE,
  madeThings,
  READING_ROUTES,
  ROUTES_OF_NO_CONTRACT,
  type Things,
} from '../../support/unread/reading-routes.ts'

// All routes in one process, with 40 requests each. `npm run test:soak -- unread-answers` starts a new process
// for each route and sends 300 requests.

/** Largest answer that is made at once. Larger ones are streamed: they are made while the client reads them. */
const LARGEST_BYTES = 5 * 1024 * 1024
/** Streamed from the record with a known length. */
const READ_PAGE_BY_PAGE = ['/api/sessions/:id/result/stream']
const GROWTH_MIB = 200

let state: string
let site: Site
let things: Things
beforeAll(async () => {
  state = mkdtempSync(path.join(tmpdir(), 'unread-'))
  fillHistory(state, { reviews: 1000, long: 100, labelBytes: 256 * 1024 })
  site = await Site.start({ ...ATTACKED_SITE, state })
  things = await madeThings(site)
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  rmSync(state, { recursive: true })
})

const routes = () =>
  Promise.all(
    [...Object.keys(READING_ROUTES), ...ROUTES_OF_NO_CONTRACT].map(async (route) => {
      return [route, (await READING_ROUTES[route]?.(things, site)) ?? route] as const
    }),
  )

describe('each route for reading', () => {
  it('is in the table of routes that are attacked', () => {
    const reading = Object.keys(OPERATIONS).filter((name) => name.startsWith('GET '))
    expect(Object.keys(READING_ROUTES).toSorted()).toEqual(reading.map((name) => name.slice(4)).toSorted())
  })

  it('has answers with a bound in bytes, or is a stream', async () => {
    const large: string[] = []
    for (const [route, url] of await routes()) {
      const leaving = new AbortController()
      const answer = await fetch(`http://${site.address}${url}`, {
        headers: { authorization: `Bearer ${site.token}`, connection: 'close' },
        ...{ redirect: 'manual', signal: leaving.signal },
      })
      const length = answer.headers.get('content-length')
      if (length === null && !answer.ok) throw new Error(`${route}: ${answer.status}`)
      if (Number(length) > LARGEST_BYTES) large.push(route)
      leaving.abort()
    }
    expect(large).toEqual(READ_PAGE_BY_PAGE)
  })

  it.runIf(process.platform === 'linux')(
    'takes a bounded memory for answers that nobody reads, lets others be answered, and lets the gateway stop',
    async () => {
      const { address, gateway, token } = site
      const memory = new Memory(gateway)
      const before = memory.restart()
      for (const [, url] of await routes()) {
        const sockets = await attack({ address, url, tokens: [token], connections: 4, pipelined: 10 })
        await healthWait(address)
        await healthWait(address)
        for (const socket of sockets) socket.destroy()
      }
      const held = await Promise.all(
        ['/api/reviews', '/api/sessions?limit=100', '/api/changes'].map((url) =>
          attack({ address, url, tokens: [token], connections: 10, pipelined: 10 }),
        ),
      )
      await healthWait(address)
      expect(memory.peak - before).toBeLessThan(GROWTH_MIB)
      expect(await gateway.stop()).toEqual({ code: 0, signal: null })
      for (const socket of held.flat()) socket.destroy()
    },
  )
})
