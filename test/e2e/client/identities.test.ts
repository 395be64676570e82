import { expect, it } from 'vitest'
import { runProgram } from '../../support/sites/program.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { Workplace } from '../../support/sites/workplace.ts'

it('user and token: somebody new gets in by a token that is made, rotated, revoked, and by none when he is deactivated', async () => {
  await using gateway = await RunningGateway.start()
  using place = new Workplace()
  const as = (token: string, ...args: readonly string[]) =>
    runProgram(place, args, { HOOP_APIURL: gateway.gateway.http, HOOP_TOKEN: token })
  const admin = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await as(userToken, ...args)
    expect([args.join(' '), code, stderr]).toEqual([args.join(' '), 0, expect.any(String)])
    return stdout.trim()
  }
  await admin('user', 'create', 'ann', '--group', 'dba')
  const first = await admin('token', 'create', '--user', 'ann', '--name', 'laptop', '--expires', '90d')
  expect((await as(first, 'connections')).code).toBe(0)
  const [{ id } = { id: '' }] = (
    JSON.parse(await admin('token', 'list', '--json')) as { id: string; user: string }[]
  ).filter(({ user }) => user === 'ann')
  const second = await admin('token', 'rotate', id, '--overlap', '0s')
  expect(await as(first, 'connections')).toMatchObject({
    code: 77,
    stderr: expect.stringContaining('the token was revoked') as string,
  })
  expect((await as(second, 'connections')).code).toBe(0)
  // A name means the older token, too, which would be accepted until the end of the overlap.
  const third = await admin('token', 'rotate', 'laptop', '--user', 'ann')
  for (const token of [second, third]) expect((await as(token, 'connections')).code).toBe(0)
  await admin('token', 'revoke', 'laptop', '--user', 'ann')
  for (const token of [second, third]) expect((await as(token, 'connections')).code).toBe(77)
  const last = await admin('token', 'create', '--user', 'ann', '--name', 'laptop')
  expect((await as(last, 'connections')).code).toBe(0)
  await admin('user', 'change', 'ann', '--deactivate')
  expect((await as(last, 'connections')).code).toBe(77)
  expect(await as(userToken, 'user', 'show', 'nobody')).toMatchObject({ code: 64 })
  expect(gateway.log.join('\n')).not.toContain(first)
})
