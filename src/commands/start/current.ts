import { createHash } from 'node:crypto'
import type { Identity, IdentitySource } from '../../agent/connection/identity.ts'
import { OwnerPolicy, type PolicySource } from '../../agent/policy/owner-policy.ts'
import type { Logger } from '../../basics/logger.ts'
import type { AgentConfiguration } from '../../config.ts'
import { Failure } from '../exit-codes.ts'
import { examineOwnerRules } from '../policy/owner-rules.ts'
import { readIdentity, readSettings, type Flags } from './settings.ts'

/** The agent's identity by its current settings. Keys, SVIDs and certificates are renewed on disk. */
export class CurrentIdentity implements IdentitySource {
  /**
   * Variables that the settings name by `env://` now or have named before: they stay closed to connections.
   * The set grows in place.
   */
  readonly ownVariables: Set<string>
  readonly #flags: Flags
  readonly #log: Logger
  #current: Identity
  #fingerprint: string
  #warnings: readonly string[]
  /** The last logged error. Attempts may repeat for days, and the same error is logged once. */
  #complaint: string | undefined

  /** @param settings the settings of `identity`; their warnings were already logged */
  constructor(
    flags: Flags,
    identity: Identity,
    settings: Pick<AgentConfiguration, 'warnings' | 'referencedVariables' | 'key' | 'tls'>,
    log: Logger,
  ) {
    this.ownVariables = new Set(settings.referencedVariables)
    this.#warnings = settings.warnings
    this.#flags = flags
    this.#current = identity
    this.#fingerprint = fingerprintOf(settings)
    this.#log = log
  }

  get current(): Identity {
    return this.#current
  }

  refresh(): Identity {
    this.reread()
    return this.#current
  }

  isRenewed(): boolean {
    try {
      return fingerprintOf(readSettings(this.#flags)) !== this.#fingerprint
    } catch (error) {
      // The next attempt reports what is wrong.
      if (error instanceof Failure) return false
      throw error
    }
  }

  /**
   * Reads the settings again.
   * @returns undefined when they cannot be used; that is logged, and the old settings stay
   */
  reread(): AgentConfiguration | undefined {
    try {
      const settings = readSettings(this.#flags)
      for (const name of settings.referencedVariables) this.ownVariables.add(name)
      this.#current = readIdentity(settings)
      this.#fingerprint = fingerprintOf(settings)
      this.#complaint = undefined
      this.#warn(settings.warnings)
      return settings
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.message !== this.#complaint)
        this.#log.warn(
          { reason: error.message },
          'the changed settings cannot be used: the agent keeps the old ones',
        )
      this.#complaint = error.message
      return undefined
    }
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) if (!this.#warnings.includes(warning)) this.#log.warn({}, warning)
    this.#warnings = warnings
  }
}

function fingerprintOf({ key, tls }: Pick<AgentConfiguration, 'key' | 'tls'>): string {
  const { authorities, client } = tls
  const parts = [key.value.reveal(), authorities, client?.certificate, client?.key.reveal()]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

type Settings = Pick<AgentConfiguration, 'policy'>

/** The owner's policy from the settings and rule files that were read last. */
export class CurrentPolicy implements PolicySource {
  #current: OwnerPolicy | undefined
  /** Number of readings: of two parallel readings the later one wins, whichever ends first. */
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

  /** Reads the policy again. When it cannot be used, the reason is logged and the old policy stays. */
  async reread(settings: Settings, log: Logger): Promise<void> {
    const reading = ++this.#readings
    try {
      const policy = await policyOf(settings)
      if (reading === this.#readings) this.#current = policy
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      log.warn({ reason: error.message }, 'the changed policy cannot be used: the agent keeps the old one')
    }
  }
}

async function policyOf({ policy }: Settings): Promise<OwnerPolicy | undefined> {
  if (policy === undefined) return undefined
  const { rules, problems } = await examineOwnerRules(policy)
  if (problems.length > 0) throw new Failure(problems.join('\n'))
  return new OwnerPolicy(rules, policy)
}
