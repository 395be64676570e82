import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MachineSite } from './machine.ts'

let site: MachineSite
beforeAll(async () => {
  site = await MachineSite.start()
})
afterAll(() => site[Symbol.asyncDispose]())

describe('the tools of a machine', () => {
  it('smoke', async () => {
    console.log(JSON.stringify(await site.rpc('server/discover'), null, 1))
    console.log(JSON.stringify(await site.tools(), null, 1).slice(0, 6000))
    console.log(JSON.stringify(await site.call('disk', { connection: 'bash', parameters: { folder: '/x' } }), null, 1))
    console.log(JSON.stringify(await site.call('fails', { connection: 'bash' }), null, 1))
    console.log(JSON.stringify(await site.call('disk', { connection: 'asked' }), null, 1))
    console.log(JSON.stringify(await site.call('disk', { connection: 'bash', dry_run: true }), null, 1))
    console.log(JSON.stringify(await site.call('runs'), null, 1))
    expect(1).toBe(1)
  })
})
