import { AgentEnvironment } from '../../../src/envvars/agent-environment.ts'
import { openSecretStores } from '../../../src/envvars/secrets/open-stores.ts'
import { SessionSecrets } from '../../../src/envvars/secrets/stores.ts'

interface Agent {
  readonly env?: Readonly<Record<string, string>>
  readonly key?: string
  readonly ended?: AbortSignal
  /** Gets every warning. */
  readonly warn?: (message: string) => void
}

/** What a session of an agent with this environment resolves references from. */
export function sessionSecrets({ env = {}, key = '', ended, warn = () => undefined }: Agent): SessionSecrets {
  const secretStores = openSecretStores({
    env,
    skipVerify: env['HOOP_TLS_SKIP_VERIFY'] === 'true',
    findProxy: () => undefined,
    log: { warn: (_fields, message) => warn(message) },
  })
  const sources = { agentEnvironment: new AgentEnvironment(env, key), secretStores }
  return new SessionSecrets(sources, ended ?? new AbortController().signal)
}
