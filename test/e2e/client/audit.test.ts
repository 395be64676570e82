import { expect, it } from 'vitest'
import { runProgram } from '../../support/sites/program.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { Workplace } from '../../support/sites/workplace.ts'

it('audit finds entries by a part of a name and by a text in what they are about', async () => {
  await using gateway = await RunningGateway.start()
  using place = new Workplace()
  const audit = async (...args: readonly string[]) => {
    const account = { HOOP_APIURL: gateway.gateway.http, HOOP_TOKEN: userToken }
    const { code, stdout, stderr } = await runProgram(place, ['audit', 'list', '--json', ...args], account)
    expect([code, stderr]).toEqual([0, ''])
    return JSON.parse(stdout) as { actor: string; resource_id: string }[]
  }
  const made = async (email: string) => gateway.request('POST', '/api/users', { email })
  await made('ann.kowalski')
  await made('ben')
  const about = await audit('--text', 'KOWAL')
  expect(about.map(({ resource_id: id }) => id)).toEqual(['ann.kowalski'])
  const byAdmin = await audit('--who', 'DMI', '--type', 'users')
  expect(byAdmin.map(({ resource_id: id }) => id)).toEqual(['ben', 'ann.kowalski'])
  expect(await audit('--who', 'nobody-is-called-so')).toEqual([])
  expect(await audit('--who', 'admin', '--text', 'there is no such thing')).toEqual([])
  const { stdout } = await runProgram(place, ['audit', 'list', '--format', 'tsv', '--type', 'users'], {
    HOOP_APIURL: gateway.gateway.http,
    HOOP_TOKEN: userToken,
  })
  expect(stdout).toMatch(/admin\tcreated a user\tann\.kowalski\tok 201/)
})
