import { createEntry, type Entry } from './entry.ts'
import { EnvvarError } from '../errors.ts'
import type { SessionSecrets } from '../secrets/session-secrets.ts'

const RDS_IAM_USER = '_aws_iam_rds:'
const RDS_FAILED = 'failed generating aws rds auth token, err='

/** A connection's entries, with what AWS signs in their place. */
export interface SignedEntries {
  readonly entries: readonly Entry[]
  /** Whether the password is a token for a database of Amazon RDS, which MySQL's client takes only in clear text. */
  readonly usesRdsToken: boolean
}

/**
 * Adds what a connection asks for by `envvar:EKS_CLUSTER` or a user `_aws_iam_rds:NAME` (protocol.md 5.3, 6). After its
 * references, as in hoop: a fetched user may be one for RDS. Only connections can ask.
 * @throws EnvvarError, or the signal's reason
 */
export async function withCloudTokens(
  entries: readonly Entry[],
  secrets: SessionSecrets,
): Promise<SignedEntries> {
  if (!entries.some(asksForToken)) return { entries, usesRdsToken: false }
  const variables = new Map(
    entries.filter(({ kind }) => kind === 'envvar').map(({ name, value }) => [name, value]),
  )
  const user = variables.get('USER')?.toString() ?? ''
  const isRds = user.startsWith(RDS_IAM_USER)
  const text: Lookup = (name) => variables.get(name)?.toString() ?? ''
  const made = [
    ...(variables.has('EKS_CLUSTER') ? await eksEntries(text, secrets) : []),
    ...(isRds ? await rdsEntries(user, text, secrets) : []),
  ]
  const replaced = new Set(made.map(({ key }) => key))
  return { entries: [...entries.filter(({ key }) => !replaced.has(key)), ...made], usesRdsToken: isRds }
}

function asksForToken({ kind, name, value }: Entry): boolean {
  if (kind !== 'envvar') return false
  const start = RDS_IAM_USER.length
  return name === 'EKS_CLUSTER' || (name === 'USER' && value.toString('latin1', 0, start) === RDS_IAM_USER)
}

type Lookup = (name: string) => string

async function eksEntries(text: Lookup, secrets: SessionSecrets): Promise<Entry[]> {
  const cluster = text('EKS_CLUSTER')
  const region = text('EKS_AWS_REGION') || (secrets.agent.variable('AWS_REGION').value ?? '')
  if (cluster === '' || region === '')
    throw new EnvvarError('missing required envs [EKS_CLUSTER EKS_AWS_REGION]')
  const { eksToken } = await import('../secrets/aws/tokens.ts')
  const roleSession = text('EKS_ROLE_SESSION') || text('EKS_BINDING_USER_ROLE')
  const token = await eksToken({ cluster, region, roleArn: text('EKS_ROLE_ARN'), roleSession }, secrets.ended)
  return [createEntry('envvar:KUBERNETES_BEARER_TOKEN', Buffer.from(`Bearer ${token}`), 'connection')]
}

async function rdsEntries(given: string, text: Lookup, secrets: SessionSecrets): Promise<Entry[]> {
  const [, user, ...rest] = given.split(':')
  if (user === undefined || rest.length > 0)
    throw new EnvvarError(`${RDS_FAILED}invalid rds iam user format env format`)
  const [hostname, port] = [text('HOST'), text('PORT')]
  if (hostname === '') throw new EnvvarError(`${RDS_FAILED}rds_iam_auth: missing HOST value in env`)
  if (port === '') throw new EnvvarError(`${RDS_FAILED}rds_iam_auth: missing PORT value in env`)
  if (!/^\d{1,5}$/.test(port)) throw new EnvvarError(`${RDS_FAILED}rds_iam_auth: PORT is not a port number`)
  // pg.cqvjxizuxvwe.us-west-2.rds.amazonaws.com
  const region = hostname.split('.')[2]
  if (region === undefined)
    throw new EnvvarError(`${RDS_FAILED}aws region not found in the host: ${hostname}`)
  const { rdsToken } = await import('../secrets/aws/tokens.ts')
  const token = await rdsToken({ hostname, port: Number(port), region, user }, secrets.ended)
  return [
    createEntry('envvar:PASS', Buffer.from(token), 'connection'),
    createEntry('envvar:USER', Buffer.from(user), 'connection'),
  ]
}
