import type { SessionSecrets } from '../secrets/session-secrets.ts'
import type { AgentValue, AgentEnvironment } from './agent-environment.ts'

const AGENT_VARIABLE = 'system.agent.envs'
const AGENT_VARIABLE_BYTES = Buffer.from(AGENT_VARIABLE)
const VARIABLE_PREFIX = 'envvar:'
const UNDERSCORE = 0x5f

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
  if (fetched === undefined) return { value }
  return fetched instanceof Promise ? fetched.then(resolution) : resolution(fetched)
}

function resolution(fetched: AgentValue): Resolution {
  return fetched.problem === undefined ? { value: Buffer.from(fetched.value) } : fetched
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
  return secrets.knows(provider) ? secrets.member(provider, id, member) : undefined
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
