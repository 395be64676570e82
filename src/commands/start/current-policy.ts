import { OwnerPolicy, type PolicySource } from '../../agent/policy/owner-policy.ts'
import type { Logger } from '../../basics/logger.ts'
import type { AgentConfiguration } from '../../config.ts'
import { Failure } from '../failure.ts'
import { examineOwnerRules } from '../policy/owner-rules.ts'

type Settings = Pick<AgentConfiguration, 'policy'>

/** The owner's policy by the settings and rule files that were read last. */
export class CurrentPolicy implements PolicySource {
  #current: OwnerPolicy | undefined
  /** Counts the readings: of two at once the later one wins, whichever ends first. */
  #readings = 0

  /** @throws Failure with everything that is wrong in a rule file: an agent without its rules must not run */
  static async read(settings: Settings): Promise<CurrentPolicy> {
    return new CurrentPolicy(await policyOf(settings))
  }

  private constructor(current: OwnerPolicy | undefined) {
    this.#current = current
  }

  get current(): OwnerPolicy | undefined {
    return this.#current
  }

  /** Reads the policy again. When it cannot be used, that is logged, and the old one stays. */
  async reread(settings: Settings, log: Logger): Promise<void> {
    const reading = ++this.#readings
    try {
      const policy = await policyOf(settings)
      if (reading === this.#readings) this.#current = policy
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      log.warn({ reason: error.message }, 'the policy as it is now cannot be used: the old one stays')
    }
  }
}

async function policyOf({ policy }: Settings): Promise<OwnerPolicy | undefined> {
  if (policy === undefined) return undefined
  const { rules, problems } = await examineOwnerRules(policy)
  if (problems.length > 0) throw new Failure(problems.join('\n'))
  return new OwnerPolicy(rules, policy)
}
