const SECRET_PROVIDERS: ReadonlySet<string> = new Set(['_aws', '_envjson', '_vaultkv1', '_vaultkv2'])
const AGENT_VARIABLE = 'system.agent.envs'
const RDS_IAM_USER = '_aws_iam_rds:'

/**
 * What a value of a connection asks the agent to fetch and this agent cannot fetch yet, in words, or undefined
 * for a plain value. A program must never get the reference as if it were the secret. Only for connections: the
 * same text from a client is a literal (protocol 0.11: resolved, it would hand out the agent's own environment).
 */
export function unresolvedReference(key: string, value: Buffer): string | undefined {
  const provider = secretProvider(value)
  if (provider !== undefined) return `this agent does not resolve ${provider} references yet`
  if (value.equals(Buffer.from(AGENT_VARIABLE))) {
    return `this agent does not resolve ${AGENT_VARIABLE} references yet`
  }
  return unsupportedAws(key, value)
}

/** Exactly three parts and a known provider; anything else is left alone, an ARN with its colons too (protocol 6). */
function secretProvider(value: Buffer): string | undefined {
  const [provider = '', ...rest] = value.toString('latin1').split(':', 4)
  return rest.length === 2 && SECRET_PROVIDERS.has(provider) ? provider : undefined
}

function unsupportedAws(key: string, value: Buffer): string | undefined {
  if (key === 'envvar:EKS_CLUSTER')
    return 'this agent does not make Amazon EKS tokens (KUBERNETES_BEARER_TOKEN) yet'
  if (key === 'envvar:USER' && value.toString('latin1', 0, RDS_IAM_USER.length) === RDS_IAM_USER) {
    return 'this agent does not make Amazon RDS IAM tokens (_aws_iam_rds users) yet'
  }
  return undefined
}
