import { expect, it } from 'vitest'
import { runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

it('a second gateway on one state folder is refused in one line, and the first goes on', async () => {
  await using site = await Site.start()
  const second = await runProgram(site.place, ['gateway', '--config', site.place.at('gateway.yaml')])
  expect([second.code, second.stdout]).toEqual([78, ''])
  expect(second.stderr).toMatch(/^runbook-agent: .*another gateway is using it; stop that gateway, [^\n]*\n$/)
  const { body } = await site.rest.script('bash', 'echo still here')
  expect(body).toMatchObject({ output: 'still here\n', exit_code: 0 })
})

it('audit verify follows the chain while the gateway serves, and misses a hash that was never its newest', async () => {
  await using site = await Site.start()
  await site.rest.script('bash', 'true')
  const verify = (...more: string[]) =>
    runProgram(site.place, ['audit', 'verify', '--state', site.place.at('state'), ...more])
  const whole = await verify()
  expect(whole).toMatchObject({ code: 0, stdout: expect.stringContaining('the chain is whole') as string })
  const [, newest = ''] = /newest: \d+ ([0-9a-f]{64})/.exec(whole.stdout) ?? []
  expect((await verify('--expect', newest)).code).toBe(0)
  expect((await verify('--expect', 'f'.repeat(64))).code).not.toBe(0)
})
