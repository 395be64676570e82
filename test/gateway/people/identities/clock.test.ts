import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { HistoryDatabase } from '../../../../src/gateway/history/database.ts'
import { ROOMS } from '../../../../src/gateway/rooms.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'
import { Workplace } from '../../../support/sites/workplace.ts'

const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR
const START = Date.now()

let place: Workplace
beforeEach(() => {
  place = new Workplace()
  vi.useFakeTimers({ toFake: ['Date'], now: START })
})
afterEach(() => {
  vi.useRealTimers()
  place[Symbol.dispose]()
})

const start = () => RunningGateway.start({}, { state: place.at('state') })

async function newToken(gateway: RunningGateway, name: string): Promise<string> {
  const { body } = await gateway.request('POST', '/api/tokens', { name, expires_in: 3600 })
  return String(body['token'])
}

async function statusWith(gateway: RunningGateway, token: string): Promise<number> {
  return (await gateway.request('GET', '/api/userinfo', undefined, { authorization: `Bearer ${token}` }))
    .status
}

async function warning(gateway: RunningGateway): Promise<unknown> {
  const response = await fetch(`${gateway.gateway.http}/readyz`, { headers: { connection: 'close' } })
  return ((await response.json()) as Record<string, unknown>)['warning']
}

it.each([
  ['two hours', 2 * HOUR],
  ['a year', YEAR],
])(
  'a token that has expired by a clock that was %s ahead stays expired when it is right again',
  async (_, ahead) => {
    let token: string
    {
      await using gateway = await start()
      token = await newToken(gateway, 'one')
      expect(await statusWith(gateway, token)).toBe(200)
      vi.setSystemTime(START + ahead)
      expect(await statusWith(gateway, token)).toBe(401)
      vi.setSystemTime(START)
      expect(await statusWith(gateway, token)).toBe(401)
      expect(await warning(gateway)).toMatch(/^the clock is \d+ hours behind .* history reset-clock$/)
    }
    {
      await using gateway = await start()
      expect(await statusWith(gateway, token)).toBe(401)
      expect(await warning(gateway)).toMatch(/behind/)
      expect(gateway.log.filter((line) => line.startsWith('clock is wrong'))).toHaveLength(1)
      // A token that is made now lives as long as it was asked to.
      expect(await statusWith(gateway, await newToken(gateway, 'other'))).toBe(200)
    }
    const database = new HistoryDatabase(path.join(place.at('state'), 'history.sqlite'), ROOMS, undefined)
    expect(database.resetLatestTime()).toBeGreaterThanOrEqual(START + ahead)
    database.close()
    await using gateway = await start()
    expect(await statusWith(gateway, token)).toBe(200)
    expect(await warning(gateway)).toBeUndefined()
  },
)
