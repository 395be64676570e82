import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { flood } from '../../../support/network/flood.ts'
import { mergeEntries } from '../../../../src/envvars/merge.ts'
import { EnvvarError } from '../../../../src/envvars/errors.ts'
import {
  loadAws,
  membersOf,
  SecretsManagerStore,
} from '../../../../src/envvars/secrets/aws/secrets-manager.ts'
import { eksToken, rdsToken } from '../../../../src/envvars/secrets/aws/tokens.ts'
import { ACCESS_KEY, AwsServer, failure, SECRET_KEY } from '../../../support/secrets/aws-server.ts'
import { EMPTY_HASH, presigned, signature } from '../../../support/secrets/signature-v4.ts'
import { sessionSecrets } from '../../../support/secrets/session-secrets.ts'
import { raw } from '../../../support/secrets/vault-server.ts'

type Plain = Readonly<Record<string, string>>

let aws: AwsServer

beforeEach(async () => {
  aws = await AwsServer.start()
  // The packages read the environment of the process, and the files that it names.
  vi.stubEnv('AWS_CONFIG_FILE', '/nowhere')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere')
  for (const [name, value] of Object.entries(aws.variables)) vi.stubEnv(name, value)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await aws[Symbol.asyncDispose]()
})

const encoded = (plain: Plain) =>
  new Map(Object.entries(plain).map(([key, value]) => [key, Buffer.from(value).toString('base64')] as const))

async function resolved(
  connection: Plain,
  options: { ended?: AbortSignal; type?: string } = {},
): Promise<Plain> {
  const { ended, type: connectionType = 'command-line' } = options
  const { entries } = await mergeEntries({
    ...{ connection: encoded(connection), client: new Map(), connectionType, own: new Map() },
    secrets: sessionSecrets({ env: aws.variables, ...(ended !== undefined && { ended }) }),
  })
  return Object.fromEntries(entries.map(({ key, value }) => [key, value.toString()]))
}

async function failureOf(connection: Plain): Promise<string> {
  try {
    await resolved(connection)
  } catch (error) {
    if (error instanceof EnvvarError) return error.message
    throw error
  }
  throw new Error('the connection was accepted')
}

const refusal = (fault: string) =>
  `failed decoding environment variables [${JSON.stringify(`envvar:A ${fault}`)}]`

describe('the signatures', () => {
  test('are checked by code that agrees with the published examples', () => {
    const vanilla = {
      ...{ method: 'GET', path: '/', query: [], payloadHash: EMPTY_HASH, date: '20150830T123600Z' },
      ...{ region: 'us-east-1', service: 'service' },
      headers: { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' },
    }
    // get-vanilla of AWS's test suite.
    expect(signature(SECRET_KEY, vanilla)).toBe(
      '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    )
    const key = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
    const url = new URL(
      'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    )
    // The presigned URL of S3's documentation.
    const { signed, has } = presigned(url)
    expect(signature(key, { ...signed, payloadHash: 'UNSIGNED-PAYLOAD' })).toBe(has)
  })
})

describe('_aws', () => {
  const reference = { 'envvar:A': '_aws:prod/db:k' }

  test('asks for the secret once, signed, and gives its members', async () => {
    aws.secrets['prod/db'] = '{"k":"hunter2","port":5432}'
    const connection = { ...reference, 'filesystem:B': '_aws:prod/db:port' }
    expect(await resolved(connection)).toEqual({ 'envvar:A': 'hunter2', 'filesystem:B': '5432' })
    expect(aws.requests.map(({ target, body }) => [target, body])).toEqual([
      ['secretsmanager.GetSecretValue', '{"SecretId":"prod/db"}'],
    ])
    expect(aws.requests[0]?.authorization).toMatch(
      /Credential=AKIDEXAMPLE\/\d+\/eu-west-1\/secretsmanager\/aws4_request/,
    )
  })

  test.each([
    ['5432', '5432'],
    ['1000000', '1000000'],
    ['12345678901234567890', '12345678901234567890'],
    ['1.50', '1.50'],
    ['-1e+06', '-1e+06'],
    ['true', 'true'],
    ['null', ''],
    ['""', ''],
    ['"-5 \\"1\\" é"', '-5 "1" é'],
    ['{"a":1.0,"b":"2"}', '{"a":1.0,"b":"2"}'],
    ['[1, "x"]', '[1,"x"]'],
  ])('a value %s is %j', (value, text) => {
    expect(membersOf(`{"x":"1","k":${value}}`).members?.get('k')).toBe(text)
  })

  test.each<[string | undefined, string]>([
    [undefined, 'the secret is binary, a JSON object is needed'],
    ['', 'unexpected end of JSON input'],
    ['hunter2', "invalid character 'h' looking for beginning of value"],
    ['{"a":', 'unexpected end of JSON input'],
    ['"x"', 'json: cannot unmarshal string into Go value of type map[string]interface {}'],
    ['[]', 'json: cannot unmarshal array into Go value of type map[string]interface {}'],
  ])('a secret %j is refused', (secret, reason) => {
    expect(membersOf(secret).problem).toBe(`failed deserializing secret key/val, err=${reason}`)
  })

  test('a missing key has the texts of hoop', async () => {
    aws.secrets['prod/db'] = '{"l":"v"}'
    expect(await failureOf(reference)).toBe(refusal('secret id prod/db found, but key k was not'))
    expect(await failureOf({ 'envvar:0': '_aws:prod/db:l', ...reference })).toBe(
      refusal('secret key not found. secret=prod/db, key=k'),
    )
  })

  const operation = '(prod/db) operation error Secrets Manager: GetSecretValue, '

  test('a secret that is not there has the text of hoop', async () => {
    expect(await failureOf(reference)).toBe(
      refusal(
        `${operation}https response error StatusCode: 400, RequestID: R, ResourceNotFoundException: Secrets Manager can't find the specified secret.`,
      ),
    )
  })

  test('an error without a type of its own is an api error', async () => {
    aws.answer = (_, response) => failure(response, 'AccessDeniedException', 'not you')
    expect(await failureOf(reference)).toBe(
      refusal(
        `${operation}https response error StatusCode: 400, RequestID: R, api error AccessDeniedException: not you`,
      ),
    )
  })

  test('a server that is ill is asked three times', async () => {
    aws.answer = (_, response) => failure(response, 'InternalServiceError', 'ill', 500)
    expect(await failureOf(reference)).toBe(
      refusal(
        `${operation}exceeded maximum number of attempts, 3, https response error StatusCode: 500, RequestID: R, InternalServiceError: ill`,
      ),
    )
    expect(aws.requests).toHaveLength(3)
  })

  test('nobody there has the text of Go', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1')
    expect(await failureOf(reference)).toBe(
      refusal(
        `${operation}exceeded maximum number of attempts, 3, https response error StatusCode: 0, RequestID: , request send failed, dial tcp 127.0.0.1:1: connect: connection refused`,
      ),
    )
  })

  test('an agent without credentials says so, and looks for them no longer than they may take', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', '')
    expect(await failureOf(reference)).toContain('get identity: get credentials: ')
  })

  test('500 MB of an answer: 1 MiB of it is read', async () => {
    let written = () => 0
    aws.answer = (_, response) =>
      (written = flood(response, 200, { 'Content-Type': 'application/x-amz-json-1.1' }))
    expect(await failureOf(reference)).toContain('the answer is longer than 1048576 bytes')
    expect(written()).toBeLessThan(64 * 1024 * 1024)
  })

  test.each(['half an answer', 'nonsense'])('%s is refused, and nothing of it is shown', async (kind) => {
    aws.answer = (_, response) => {
      if (kind === 'nonsense') return raw(response, 200, '{"SecretString":"hunter2')
      response.writeHead(200, { 'Content-Length': 100 })
      response.write('{"SecretString":"hunter2', () => response.socket?.destroy())
    }
    const text = await failureOf(reference)
    expect(text).toContain(operation)
    expect(text).not.toContain('hunter2')
  })

  test('an answer that is not JSON is not quoted', async () => {
    aws.answer = (_, response) => raw(response, 200, '{"SecretString":hunter2}')
    expect(await failureOf(reference)).toContain('the answer is not valid JSON')
  })

  test('a refused signature is told without the token that was signed, and a long text is cut', async () => {
    const canonical = "should have been\n'POST\n/\nx-amz-security-token:FwoGZXhunter2+/=\n\nhost"
    aws.answer = (_, response) => failure(response, 'InvalidSignatureException', canonical + 'x'.repeat(9000))
    const text = await failureOf(reference)
    expect(text).toContain('x-amz-security-token:[REDACTED]')
    expect(text).not.toContain('hunter2')
    expect(text.length).toBeLessThan(4400)
  })

  test('a server that never answers is waited for as long as the limit says', async () => {
    aws.answer = () => undefined
    const store = new SecretsManagerStore(aws.variables, { warn: () => undefined }, 20)
    const fetch = await store.open()
    expect(await fetch('prod/db', new AbortController().signal)).toEqual({
      problem: `${operation}request timeout (0.02s)`,
    })
  })

  test('a session that is over does not wait', async () => {
    const over = new AbortController()
    const reason = new Error('over')
    aws.answer = () => over.abort(reason)
    await expect(resolved(reference, { ended: over.signal })).rejects.toBe(reason)
  })

  test('an installation without the packages says what to install', async () => {
    const missing = ['@aws-sdk', 'not-there'].join('/')
    await expect(loadAws(() => import(missing))).rejects.toThrow(
      'the package @aws-sdk/not-there is not installed: reinstall runbook-agent with its optional packages',
    )
  })
})

describe('EKS_CLUSTER', () => {
  const connection = { 'envvar:EKS_CLUSTER': 'prod' }
  const tokenOf = (variables: Plain) => {
    const [scheme, token = ''] = (variables['envvar:KUBERNETES_BEARER_TOKEN'] ?? '').split(' ')
    expect(scheme).toBe('Bearer')
    expect(token).toMatch(/^k8s-aws-v1\.[\w-]+$/)
    return new URL(Buffer.from(token.replace('k8s-aws-v1.', ''), 'base64url').toString())
  }

  test('makes KUBERNETES_BEARER_TOKEN: a signed question to STS who the agent is, for this cluster and 60 s', async () => {
    const url = tokenOf(await resolved({ ...connection, 'envvar:KUBERNETES_BEARER_TOKEN': 'old' }))
    expect(url.origin + url.pathname).toBe('https://sts.eu-west-1.amazonaws.com/')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      ...{ Action: 'GetCallerIdentity', Version: '2011-06-15', 'X-Amz-Expires': '60' },
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
    })
    const { signed, has } = presigned(url, { 'x-k8s-aws-id': 'prod' })
    expect(signature(SECRET_KEY, signed)).toBe(has)
    expect(signed.service).toBe('sts')
    expect(aws.requests).toEqual([])
  })

  test('takes the region of EKS_AWS_REGION before that of the agent', async () => {
    const url = tokenOf(await resolved({ ...connection, 'envvar:EKS_AWS_REGION': 'us-east-2' }))
    expect(url.host).toBe('sts.us-east-2.amazonaws.com')
  })

  test.each(['EKS_ROLE_SESSION', 'EKS_BINDING_USER_ROLE'])(
    'assumes EKS_ROLE_ARN first, with the session of %s',
    async (name) => {
      const role = { 'envvar:EKS_ROLE_ARN': 'arn:aws:iam::1:role/x', [`envvar:${name}`]: 'hoopdev.eks' }
      const url = tokenOf(await resolved({ ...connection, ...role }))
      const asked = new URLSearchParams(aws.requests[0]?.body)
      expect([asked.get('Action'), asked.get('RoleArn'), asked.get('RoleSessionName')]).toEqual([
        ...['AssumeRole', 'arn:aws:iam::1:role/x', 'hoopdev.eks'],
      ])
      expect(url.searchParams.get('X-Amz-Security-Token')).toBe('token-of-the-role')
      const { signed, has } = presigned(url, { 'x-k8s-aws-id': 'prod' })
      expect(signature('secret-of-the-role', signed)).toBe(has)
    },
  )

  test('without a region or a cluster is refused', async () => {
    const text = 'missing required envs [EKS_CLUSTER EKS_AWS_REGION]'
    expect(await failureOf({ 'envvar:EKS_CLUSTER': '' })).toBe(text)
  })

  test('a role that cannot be assumed is the reason', async () => {
    aws.answer = (_, response) =>
      raw(
        response,
        403,
        '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error><RequestId>R</RequestId></ErrorResponse>',
        { 'Content-Type': 'text/xml', 'x-amzn-RequestId': 'R' },
      )
    expect(await failureOf({ ...connection, 'envvar:EKS_ROLE_ARN': 'arn:aws:iam::1:role/x' })).toBe(
      'failed to generate eks token: operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: R, api error AccessDenied: not you',
    )
  })

  test('credentials that never come are waited for as long as the limit says', async () => {
    aws.answer = () => undefined
    const cluster = {
      cluster: 'prod',
      region: 'eu-west-1',
      roleArn: 'arn:aws:iam::1:role/x',
      roleSession: '',
    }
    const { signal } = new AbortController()
    await expect(eksToken(cluster, signal, 20)).rejects.toThrow(
      'failed to generate eks token: no credentials within 0.02 s',
    )
    vi.stubEnv('AWS_ACCESS_KEY_ID', '')
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${aws.address}/credentials`)
    const server = {
      hostname: 'pg.x.eu-west-1.rds.amazonaws.com',
      port: 5432,
      region: 'eu-west-1',
      user: 'app',
    }
    await expect(rdsToken(server, signal, 20)).rejects.toThrow(
      'failed generating aws rds auth token, err=no credentials within 0.02 s',
    )
  })

  test('means nothing in a file', async () => {
    expect(await resolved({ 'filesystem:EKS_CLUSTER': 'prod' })).toEqual({ 'filesystem:EKS_CLUSTER': 'prod' })
  })
})

describe('a user _aws_iam_rds:NAME', () => {
  const HOST = 'pg.cqvjxizuxvwe.us-west-2.rds.amazonaws.com'
  const connection = {
    'envvar:USER': '_aws_iam_rds:app',
    'envvar:HOST': HOST,
    'envvar:PORT': '5432',
    'envvar:PASS': 'old',
  }

  test('is NAME, with a signed token for 15 minutes as its password', async () => {
    const variables = await resolved(connection, { type: 'postgres' })
    expect(variables['envvar:USER']).toBe('app')
    expect(variables['envvar:PGPASSWORD']).toBe(variables['envvar:PASS'])
    const url = new URL(`https://${variables['envvar:PASS']}`)
    expect(url.host).toBe(`${HOST}:5432`)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      Action: 'connect',
      DBUser: 'app',
      'X-Amz-Expires': '900',
    })
    expect(url.searchParams.get('X-Amz-Credential')).toMatch(`${ACCESS_KEY}/`)
    const { signed, has } = presigned(url)
    expect([signed.service, signed.region]).toEqual(['rds-db', 'us-west-2'])
    expect(signature(SECRET_KEY, signed)).toBe(has)
  })

  test.each<[Plain, string]>([
    [{ 'envvar:USER': '_aws_iam_rds:a:b' }, 'invalid rds iam user format env format'],
    [{ 'envvar:HOST': '' }, 'rds_iam_auth: missing HOST value in env'],
    [{ 'envvar:PORT': '' }, 'rds_iam_auth: missing PORT value in env'],
    [{ 'envvar:PORT': 'x' }, 'rds_iam_auth: PORT is not a port number'],
    [{ 'envvar:HOST': 'db.local' }, 'aws region not found in the host: db.local'],
  ])('with %j is refused', async (changed, reason) => {
    expect(await failureOf({ ...connection, ...changed })).toBe(
      `failed generating aws rds auth token, err=${reason}`,
    )
  })

  test('without credentials is refused', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', '')
    expect(await failureOf(connection)).toMatch(/^failed generating aws rds auth token, err=.*credentials/i)
  })

  test('that is fetched counts as well', async () => {
    aws.secrets['db'] = '{"user":"_aws_iam_rds:app"}'
    expect(await resolved({ ...connection, 'envvar:USER': '_aws:db:user' })).toMatchObject({
      'envvar:USER': 'app',
    })
  })
})
