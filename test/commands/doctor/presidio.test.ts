import { expect, it } from 'vitest'
import { checkPresidio } from '../../../src/commands/doctor/policy.ts'
import { own } from '../../support/owned.ts'
import { Presidio } from '../../support/scripted/presidio.ts'
import { json } from '../../support/scripted/scripted-rest.ts'

async function presidioWithMode(mode: 'strict' | 'best-effort') {
  const services = own(await Presidio.start())
  const { analyzer, anonymizer } = services
  return { services, presidio: { analyzer: `${analyzer.url}/`, anonymizer: anonymizer.url, mode } }
}

it('doctor says who masks: the gateway decides where the agent has no Presidio of its own', async () => {
  expect(await checkPresidio({ presidio: undefined })).toMatchObject({
    level: 'ok',
    found:
      'the gateway chooses the masking: the local engine (alcatraz), or Presidio at addresses that the gateway sends (mspresidio)',
  })
})

it("doctor asks both services of the agent's own Presidio for /health", async () => {
  const { services, presidio } = await presidioWithMode('strict')
  const { analyzer, anonymizer } = services
  expect(await checkPresidio({ presidio })).toMatchObject({
    level: 'ok',
    found: `Presidio at ${analyzer.url} and ${anonymizer.url} instead of the gateway's, mode strict: both answer`,
  })
  expect([analyzer.asked('GET /health').length, anonymizer.asked('GET /health').length]).toEqual([1, 1])
})

it.each([
  ['strict', 'sessions with masking end with 254'],
  ['best-effort', 'output of sessions is not masked'],
] as const)(
  'doctor warns of a Presidio that does not work, and says what mode %s makes of it',
  async (mode, outcome) => {
    const { services, presidio } = await presidioWithMode(mode)
    services.anonymizer.on('GET /health', json(503, {}))
    const { level, found, advice } = await checkPresidio({ presidio })
    expect(level).toBe('warning')
    expect(found).toContain(`Presidio's anonymizer at ${services.anonymizer.url} answered with status 503`)
    expect(advice).toContain(outcome)
  },
)
