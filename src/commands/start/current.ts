import { createHash } from 'node:crypto'
import type { Identity, IdentitySource } from '../../agent/connection/identity.ts'
import { OwnerPolicy, type PolicySource } from '../../agent/policy/owner-policy.ts'
import type { Logger } from '../../basics/logger.ts'
import type { AgentConfiguration } from '../../config.ts'
import { Failure } from '../exit-codes.ts'
import { examineOwnerRules } from '../policy/owner-rules.ts'
import { readIdentity, readSettings, type Flags } from './settings.ts'

/** Reads the identity again on demand, because keys, SVIDs and certificates may be renewed on disk. */
export class CurrentIdentity implements IdentitySource {
  /**
   * Names of variables that the settings refer to, or referred to earlier, by `env://`. Connections cannot
   * read these variables. Names that the settings use later are added to this same set.
   */
  readonly ownVariables: Set<string>
  readonly #flags: Flags
  readonly #log: Logger
  #current: Identity
  #fingerprint: string
  #warnings: readonly string[]
  /**
   * The last logged error. Connection attempts may repeat for days, so the same error is logged only once.
   */
  #complaint: string | undefined

  /** @param settings the settings of `identity`; the warnings of these settings are already logged */
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
      // The next connection attempt reports the problem.
      if (error instanceof Failure) return false
      throw error
    }
  }

  /** @returns undefined for unusable settings: the reason is logged, and the old settings stay */
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
          'the changed settings cannot be used: the agent keeps the old settings',
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

/** The policy of the last valid settings and rule files. */
export class CurrentPolicy implements PolicySource {
  #current: OwnerPolicy | undefined
  /** Counts the readings. If two readings overlap, only the later one counts. */
  #readings = 0

  /** @throws Failure with all problems of a rule file, because an agent must not run without its rules */
  static async read(settings: Settings): Promise<CurrentPolicy> {
    return new CurrentPolicy(await loadOwnerPolicy(settings))
  }

  private constructor(current: OwnerPolicy | undefined) {
    this.#current = current
  }

  get current(): OwnerPolicy | undefined {
    return this.#current
  }

  /** Reads the policy again. If the new policy is unusable, the reason is logged and the old policy stays. */
  async reread(settings: Settings, log: Logger): Promise<void> {
    const reading = ++this.#readings
    try {
      const policy = await loadOwnerPolicy(settings)
      if (reading === this.#readings) this.#current = policy
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      log.warn({ reason: error.message }, 'the changed policy cannot be used: the agent keeps the old policy')
    }
  }
}

async function loadOwnerPolicy({ policy }: Settings): Promise<OwnerPolicy | undefined> {
  if (policy === undefined) return undefined
  const { rules, problems } = await examineOwnerRules(policy)
  if (problems.length > 0) throw new Failure(problems.join('\n'))
  return new OwnerPolicy(rules, policy)
}
