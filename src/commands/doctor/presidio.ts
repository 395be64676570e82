import { askHealth, presidioService, type PresidioService } from '../../agent/masking/presidio/service.ts'
import type { AgentConfiguration } from '../../config.ts'
import { type Finding, ok, warning } from './finding.ts'

/** Whether the agent's own Presidio is there. The gateway says per session who masks. */
export async function checkPresidio({ presidio }: Pick<AgentConfiguration, 'presidio'>): Promise<Finding> {
  if (presidio === undefined)
    return ok(
      'the gateway says who masks: the local engine (alcatraz), or Presidio at its addresses (mspresidio)',
    )
  const { analyzer, anonymizer, mode } = presidio
  const services = [presidioService('analyzer', analyzer), presidioService('anonymizer', anonymizer)]
  const problems = await Promise.all(services.map(problemOf))
  const where = `Presidio at ${origin(analyzer)} and ${origin(anonymizer)} instead of the gateway's, mode ${mode}`
  const found = problems.filter((problem) => problem !== undefined)
  if (found.length === 0) return ok(`${where}: both answer`)
  const outcome = mode === 'strict' ? 'sessions that need it end with 254' : 'their output passes unmasked'
  return warning(
    `${where}: ${found.join('; ')}`,
    `start it, or correct masking.analyzer and masking.anonymizer: until then ${outcome}`,
  )
}

async function problemOf(service: PresidioService | undefined): Promise<string | undefined> {
  try {
    if (service !== undefined) await askHealth(service)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function origin(address: string): string {
  return new URL(address).origin
}
