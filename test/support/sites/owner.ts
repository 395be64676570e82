import { OwnerPolicy, type PolicySource } from '../../../src/agent/policy/owner-policy.ts'
import { examineOwnerRules } from '../../../src/commands/policy/owner-rules.ts'
import type { PolicySettings } from '../../../src/config/policy.ts'
import type { Workplace } from './workplace.ts'

/** What the owner wants, the rules as texts of rule files. */
export interface Wishes extends Partial<Omit<PolicySettings, 'inputRules' | 'outputRules'>> {
  readonly input?: string
  readonly output?: string
}

/** The policy of an agent that a test changes as a reload would. */
export class Owner implements PolicySource {
  current: OwnerPolicy | undefined
  readonly #place: Workplace

  constructor(place: Workplace) {
    this.#place = place
  }

  /** From now on; the rules stand in `input.yaml` and `output.yaml`. */
  async wants({ input, output, programs, variables, connections, origins }: Wishes): Promise<void> {
    const written = (name: string, text: string | undefined) =>
      text === undefined ? [] : [this.#place.write(name, text)]
    const { rules, problems } = await examineOwnerRules({
      inputRules: written('input.yaml', input),
      outputRules: written('output.yaml', output),
      ...{ programs, variables, connections, origins },
    })
    if (problems.length > 0) throw new Error(problems.join('\n'))
    this.current = new OwnerPolicy(rules, { programs, variables, connections, origins })
  }
}
