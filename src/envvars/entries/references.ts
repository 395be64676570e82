import type { SessionSecrets } from '../secrets/session-secrets.ts'
import type { AgentValue, AgentEnvironment } from './agent-environment.ts'

const AGENT_VARIABLE = 'system.agent.envs'
const AGENT_VARIABLE_BYTES = Buffer.from(AGENT_VARIABLE)
const VARIABLE_PREFIX = 'envvar:'
const UNDERSCORE = 0x5f
const RDS_IAM_USER = '_aws_iam_rds:'
const UNSUPPORTED_PROVIDER = '_aws'

/** The value a program gets, or why there is none. */
export type Resolution =
  { readonly value: Buffer; readonly problem?: never } | { readonly problem: string; readonly value?: never }

/**
 * Replaces a reference by the value that it stands for; a plain value stays, and nothing is waited for. Only once: a
 * fetched value may look like a reference, but is none. What cannot be resolved is refused: a program must never get the
 * reference as if it were the secret. Only for connections: from a client the same text is a literal (protocol.md 0.11:
 * if it were resolved, it would give away the agent's own environment).
 */
export function resolveReference(
  key: string,
  value: Buffer,
  secrets: SessionSecrets,
): Resolution | Promise<Resolution> {
  const fetched = fetch(key, value, secrets)
  return fetched instanceof Promise
    ? fetched.then((one) => resolution(key, value, one))
    : resolution(key, value, fetched)
}

function resolution(key: string, value: Buffer, fetched: AgentValue | undefined): Resolution {
  if (fetched?.problem !== undefined) return fetched
  const resolved = fetched === undefined ? value : Buffer.from(fetched.value)
  // After fetching, as in hoop: a fetched user name may be one for RDS.
  const problem = unsupportedAws(key, resolved)
  return problem === undefined ? { value: resolved } : { problem }
}

/** Undefined for a plain value. */
function fetch(
  key: string,
  value: Buffer,
  secrets: SessionSecrets,
): AgentValue | Promise<AgentValue> | undefined {
  if (value.equals(AGENT_VARIABLE_BYTES)) return agentVariable(key, secrets.agent)
  const [provider = '', id = '', member = ''] = threeParts(value)
  if (provider === '_envjson') return secrets.agent.member(id, member)
  if (secrets.knows(provider)) return secrets.member(provider, id, member)
  if (provider !== UNSUPPORTED_PROVIDER) return undefined
  return { problem: `this agent does not resolve ${provider} references yet` }
}

function agentVariable(key: string, agent: AgentEnvironment): AgentValue {
  if (key.startsWith(VARIABLE_PREFIX)) return agent.variable(key.slice(VARIABLE_PREFIX.length))
  const way = 'a file can get its content by _envjson:VARIABLE:KEY'
  return { problem: `${AGENT_VARIABLE} is for ${VARIABLE_PREFIX} keys only, ${way}` }
}

/** The parts of `_provider:id:key`. Anything else is left alone, also an ARN with its colons (protocol.md 6). */
function threeParts(value: Buffer): readonly string[] {
  // Most values are no references, and a file can be large.
  if (value[0] !== UNDERSCORE) return []
  const parts = value.toString('utf8').split(':', 4)
  return parts.length === 3 ? parts : []
}

function unsupportedAws(key: string, value: Buffer): string | undefined {
  if (key === 'envvar:EKS_CLUSTER')
    return 'this agent does not make Amazon EKS tokens (KUBERNETES_BEARER_TOKEN) yet'
  if (key === 'envvar:USER' && value.toString('latin1', 0, RDS_IAM_USER.length) === RDS_IAM_USER) {
    return 'this agent does not make Amazon RDS IAM tokens (_aws_iam_rds users) yet'
  }
  return undefined
}
