import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { flood } from '../../../support/network/flood.ts'
import { mergeEntries } from '../../../../src/envvars/merge.ts'
import { EnvvarError } from '../../../../src/envvars/errors.ts'
import { Authority } from '../../../support/network/certificates.ts'
import { sessionSecrets } from '../../../support/secrets/session-secrets.ts'
import { json, raw, VaultServer } from '../../../support/secrets/vault-server.ts'

type Plain = Readonly<Record<string, string>>

const TOKEN = 'root-token-0123456789'
const encoded = (plain: Plain) =>
  new Map(Object.entries(plain).map(([key, value]) => [key, Buffer.from(value).toString('base64')] as const))

interface Options {
  readonly ended?: AbortSignal
  readonly warn?: (message: string) => void
}

/** What a connection has in the end, by key. */
async function resolved(connection: Plain, env: Plain, options: Options = {}): Promise<Plain> {
  const { entries } = await mergeEntries({
    connection: encoded(connection),
    client: new Map(),
    connectionType: 'command-line',
    own: new Map(),
    secrets: sessionSecrets({ env, ...options }),
  })
  return Object.fromEntries(entries.map(({ key, value }) => [key, value.toString()]))
}

const FAILED = 'failed decoding environment variables'

/** The text of a refusal with these faults. */
const refusal = (...faults: string[]) =>
  `${FAILED} [${faults.map((fault) => JSON.stringify(fault)).join(' ')}]`

async function failureOf(connection: Plain, env: Plain, options: Options = {}): Promise<string> {
  try {
    await resolved(connection, env, options)
  } catch (error) {
    if (error instanceof EnvvarError) return error.message
    throw error
  }
  throw new Error('the connection was accepted')
}

const withToken = (vault: VaultServer): Plain => ({ VAULT_ADDR: vault.address, VAULT_TOKEN: TOKEN })
const withAppRole = (vault: VaultServer): Plain => ({
  VAULT_ADDR: vault.address,
  VAULT_APP_ROLE_ID: 'role-id',
  VAULT_APP_ROLE_SECRET_ID: 'app-role-secret',
})

describe('the request for a secret', () => {
  test.each([
    ['_vaultkv1', 'kv/db', '/v1/kv/db'],
    ['_vaultkv1', '/kv/db', '/v1/kv/db'],
    ['_vaultkv1', 'db', '/v1/db'],
    ['_vaultkv2', 'db', '/v1/secret/data/db'],
    ['_vaultkv2', 'kv/data/db', '/v1/kv/data/db'],
    ['_vaultkv2', '/kv/data/db', '/v1/kv/data/db'],
    ['_vaultkv2', '', '/v1/secret/data/'],
    ['_vaultkv1', 'a/../b%2Fc', '/v1/a/../b%2Fc'],
    ['_vaultkv1', 'a b/ü', '/v1/a%20b/%C3%BC'],
    ['_vaultkv1', 'a\r\nX-Evil; b\u0000"\\', '/v1/a%0D%0AX-Evil;%20b%00%22%5C'],
    ['_vaultkv1', '../x?y=1#z', '/v1/../x?y=1'],
  ])('%s with the id %j asks for %s', async (provider, id, url) => {
    await using vault = await VaultServer.start()
    await failureOf({ 'envvar:A': `${provider}:${id}:k` }, withToken(vault))
    expect(vault.asked).toEqual([`GET ${url}`])
  })

  test('one slash at the end of the address is cut', async () => {
    await using vault = await VaultServer.start()
    vault.secrets['kv/db'] = { data: { k: 'v' } }
    const env = { ...withToken(vault), VAULT_ADDR: `${vault.address}/` }
    expect(await resolved({ 'envvar:A': '_vaultkv1:kv/db:k' }, env)).toEqual({ 'envvar:A': 'v' })
  })

  test('X-Vault-Token and X-Vault-Request go along, no body and no namespace', async () => {
    await using vault = await VaultServer.start()
    await failureOf({ 'envvar:A': '_vaultkv1:kv/db:k' }, withToken(vault))
    const [{ headers, body } = { headers: {}, body: 'none' }] = vault.requests
    expect(headers).toEqual({
      'x-vault-token': TOKEN,
      'x-vault-request': 'true',
      host: `127.0.0.1:${vault.port}`,
      connection: 'close',
    })
    expect(body).toBe('')
  })

  test('X-Vault-Namespace goes along when VAULT_NAMESPACE is set', async () => {
    await using vault = await VaultServer.start()
    vault.logins['approle'] = { role_id: 'role-id', secret_id: 'app-role-secret' }
    await failureOf({ 'envvar:A': '_vaultkv1:kv/db:k' }, { ...withAppRole(vault), VAULT_NAMESPACE: 'team/a' })
    expect(vault.requests.map(({ headers }) => headers['x-vault-namespace'])).toEqual(['team/a', 'team/a'])
  })
})

describe('what a secret gives', () => {
  const data = { user: 'app', pass: 'hunter2', none: null, empty: '', ['__proto__x']: 'own', 'ü"': 'é' }

  test.each([
    ['_vaultkv1', 'kv/db', { data }],
    ['_vaultkv2', 'kv/data/db', { data: { data, metadata: { version: 3, destroyed: false } } }],
  ])(
    'the members of %s, null as the empty text, in a variable and in a file',
    async (provider, id, answer) => {
      await using vault = await VaultServer.start()
      vault.secrets[id] = answer
      const reference = (key: string) => `${provider}:${id}:${key}`
      const connection = {
        'envvar:A': reference('user'),
        'filesystem:B': reference('pass'),
        'envvar:C': reference('none'),
        'envvar:D': reference('empty'),
        'envvar:E': reference('ü"'),
      }
      expect(await resolved(connection, withToken(vault))).toEqual({
        ...{ 'envvar:A': 'app', 'filesystem:B': 'hunter2' },
        ...{ 'envvar:C': '', 'envvar:D': '', 'envvar:E': 'é' },
      })
      expect(vault.requests).toHaveLength(1)
    },
  )

  test('a fetched value is not resolved again', async () => {
    await using vault = await VaultServer.start()
    vault.secrets['kv/db'] = { data: { a: '_vaultkv1:kv/db:b', b: 'no' } }
    const value = '_vaultkv1:kv/db:b'
    expect(await resolved({ 'envvar:A': '_vaultkv1:kv/db:a' }, withToken(vault))).toEqual({
      'envvar:A': value,
    })
  })

  test('each session and each provider asks anew', async () => {
    await using vault = await VaultServer.start()
    vault.secrets['kv/db'] = { data: { k: 'v', data: null } }
    const one = { 'envvar:A': '_vaultkv1:kv/db:k', 'envvar:B': '_vaultkv1:kv/db:k' }
    await resolved(one, withToken(vault))
    await resolved(one, withToken(vault))
    await failureOf({ ...one, 'envvar:C': '_vaultkv2:kv/db:k' }, withToken(vault))
    expect(vault.requests).toHaveLength(4)
  })

  test.each([
    ['_vaultkv1', 'VAULT_TOKEN and/or VAULT_ADDR env not set'],
    ['_vaultkv2', 'VAULT_TOKEN and/or VAULT_ADDR env not set'],
  ])('a client gets %s as the literal that it sent', async (provider) => {
    const client = { 'envvar:A': `${provider}:kv/db:k` }
    const secrets = sessionSecrets({})
    const { entries } = await mergeEntries({
      ...{ connection: new Map(), client: encoded(client), connectionType: 'command-line', own: new Map() },
      secrets,
    })
    expect(entries.map(({ value }) => value.toString())).toEqual([`${provider}:kv/db:k`])
  })
})

describe('a secret that cannot be used', () => {
  const one = (body: object | string, status = 200) => ({
    status,
    text: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const undecoded = (reason: string, { text, status }: ReturnType<typeof one>) =>
    `(kv/x) failed decoding response, status=${status}, length=${Buffer.byteLength(text)}, reason=${reason}`
  const kind = (what: string, field: string) => `json: cannot unmarshal ${what} into Go struct field ${field}`

  test.each([
    ['1', one({ data: { other: 'x' } }), () => 'secret id kv/x found, but key k was not'],
    ['2', one({ data: { data: { other: 'x' } } }), () => 'secret id kv/x found, but key k was not'],
    ['2', one({ data: { data: null, metadata: {} } }), () => 'secret id kv/x found, but key k was not'],
    ['2', one({ data: null }), () => 'secret id kv/x found, but key k was not'],
    ['1', one('null'), () => 'secret id kv/x found, but key k was not'],
    ['1', one({ data: { a: 1 } }), undecoded.bind(null, kind('number', 'KeyValV1.data of type string'))],
    [
      '1',
      one({ data: { k: 'v', a: true } }),
      undecoded.bind(null, kind('bool', 'KeyValV1.data of type string')),
    ],
    [
      '2',
      one({ data: { data: { a: {} } } }),
      undecoded.bind(null, kind('object', 'KeyValData.data.data of type string')),
    ],
    ['1', one({ data: [] }), undecoded.bind(null, kind('array', 'KeyValV1.data of type map[string]string'))],
    [
      '2',
      one({ data: 'x' }),
      undecoded.bind(null, kind('string', 'KeyValV2.data of type secretsmanager.KeyValData')),
    ],
    [
      '1',
      one('[]'),
      undecoded.bind(null, 'json: cannot unmarshal array into Go value of type secretsmanager.KeyValV1'),
    ],
    ['1', one('', 204), undecoded.bind(null, 'EOF')],
    ['1', one(''), undecoded.bind(null, 'EOF')],
    ['1', one('{"data":{"a":"hunter2'), undecoded.bind(null, 'unexpected EOF')],
    ['1', one('<html>'), undecoded.bind(null, "invalid character '<' looking for beginning of value")],
    ['1', one('nope'), undecoded.bind(null, "invalid character 'o' in literal null (expecting 'u')")],
    ['1', one({ errors: ['a', 'b'] }, 403), () => '(kv/x) vault error response, status=403, errs=a; b'],
    ['2', one({ errors: [] }, 404), () => '(kv/x) vault error response, status=404, errs='],
    [
      '2',
      one({ data: { data: null, metadata: { deletion_time: 'x' } } }, 404),
      () => '(kv/x) vault error response, status=404, errs=',
    ],
    [
      '1',
      one('denied', 403),
      () =>
        "(kv/x) failed decoding error response, status=403, length=6, reason=invalid character 'd' looking for beginning of value",
    ],
    [
      '1',
      one('{"errors":["sealed"]}', 503),
      () => '(kv/x) failed performing request, status=503, body={"errors":["sealed"]}',
    ],
    ['1', one('out', 302), () => '(kv/x) failed performing request, status=302, body=(not shown)'],
  ])('of version %s, answered %o, is refused in the words of hoop', async (version, answer, text) => {
    await using vault = await VaultServer.start()
    vault.answer = (_, response) => raw(response, answer.status, answer.text)
    const connection = { 'envvar:A': `_vaultkv${version}:kv/x:k` }
    expect(await failureOf(connection, withToken(vault))).toBe(refusal(`envvar:A ${text(answer)}`))
  })

  test('a key that is missing after another one was found has the text of the cache', async () => {
    await using vault = await VaultServer.start()
    vault.secrets['kv/x'] = { data: { k: 'v' } }
    const connection = {
      'envvar:A': '_vaultkv1:kv/x:no',
      'envvar:B': '_vaultkv1:kv/x:k',
      'envvar:C': '_vaultkv1:kv/x:no',
    }
    expect(await failureOf(connection, withToken(vault))).toBe(
      refusal(
        'envvar:A secret id kv/x found, but key no was not',
        'envvar:C secret key not found. secret=kv/x, key=no',
      ),
    )
  })

  test('several are refused in one message, quoted as Go quotes', async () => {
    await using vault = await VaultServer.start()
    vault.answer = (_, response) => raw(response, 500, 'a "quoted"\nline')
    const connection = {
      'envvar:B': '_vaultkv1:x:k',
      'filesystem:A': '_vaultkv2:y:k',
      'envvar:C': '_envjson:NONE:k',
    }
    expect(await failureOf(connection, withToken(vault))).toBe(
      String.raw`${FAILED} ["envvar:B (x) failed performing request, status=500, body=a \"quoted\"\nline" ` +
        String.raw`"envvar:C environment variable \"NONE\" not found" ` +
        String.raw`"filesystem:A (y) failed performing request, status=500, body=a \"quoted\"\nline"]`,
    )
  })
})

describe('the credential', () => {
  const reference = { 'envvar:A': '_vaultkv1:kv/db:k' }
  const setUp = (reason: string) => `${FAILED} failed initializing vault provider, err=${reason}`

  test.each<[string, Plain, string]>([
    ['nothing', {}, 'VAULT_TOKEN and/or VAULT_ADDR env not set'],
    ['no address', { VAULT_TOKEN: 't' }, 'VAULT_TOKEN and/or VAULT_ADDR env not set'],
    ['no token', { VAULT_ADDR: 'http://127.0.0.1:1' }, 'VAULT_TOKEN and/or VAULT_ADDR env not set'],
    [
      'half an AppRole',
      { VAULT_APP_ROLE_ID: 'r' },
      'VAULT_APP_ROLE_ID env is set but VAULT_APP_ROLE_SECRET_ID env is empty',
    ],
    [
      'the other half',
      { VAULT_APP_ROLE_SECRET_ID: 's' },
      'VAULT_APP_ROLE_SECRET_ID env is set but VAULT_APP_ROLE_ID env is empty',
    ],
    [
      'a missing token file',
      { VAULT_TOKEN: 'file:///nowhere/token' },
      'unable to load VAULT_TOKEN env, reason=open /nowhere/token: no such file or directory',
    ],
    [
      'undecodable base64',
      { VAULT_TOKEN: 'base64://a' },
      'unable to load VAULT_TOKEN env, reason=illegal base64 data at input byte 0',
    ],
    [
      'a missing authority',
      { VAULT_CACERT: 'file:///nowhere/ca' },
      'unable to load VAULT_CACERT env, reason=open /nowhere/ca: no such file or directory',
    ],
    ['an unknown method', { VAULT_AUTH_METHOD: 'ldap' }, 'VAULT_AUTH_METHOD is neither kubernetes nor jwt'],
    [
      'half a JWT',
      { VAULT_AUTH_METHOD: 'jwt', VAULT_ADDR: 'http://127.0.0.1:1' },
      'VAULT_AUTH_METHOD env is jwt but VAULT_ROLE and VAULT_JWT_FILE env not set',
    ],
  ])('%s is refused alone and at once', async (_, env, reason) => {
    expect(await failureOf({ 'envvar:0': '_envjson:NONE:k', ...reference }, env)).toBe(setUp(reason))
  })

  test.each(['base64', 'file'])('may be a token in %s://', async (form) => {
    await using vault = await VaultServer.start()
    using folder = temporary()
    vault.secrets['kv/db'] = { data: { k: 'v' } }
    const values = {
      base64: `base64://${Buffer.from(TOKEN).toString('base64')}`,
      file: `file://${folder.file(`${TOKEN}\n`)}`,
    }
    const env = { VAULT_ADDR: vault.address, VAULT_TOKEN: values[form as 'file'] }
    expect(await resolved(reference, env)).toEqual({ 'envvar:A': 'v' })
  })

  test('a token that no header can carry is refused without being quoted', async () => {
    await using vault = await VaultServer.start()
    const text = await failureOf(reference, { ...withToken(vault), VAULT_TOKEN: 'hunter2\n3' })
    expect(text).toContain('net/http: invalid header field value for \\"X-Vault-Token\\"')
    expect(text).not.toContain('hunter2')
  })

  test('an AppRole wins over the token, and signs in before every secret, not for every key', async () => {
    await using vault = await VaultServer.start()
    vault.logins['approle'] = { role_id: 'role-id', secret_id: 'app-role-secret' }
    vault.secrets['kv/a'] = { data: { k: 'v', l: 'w' } }
    vault.secrets['kv/b'] = { data: { k: 'x' } }
    const connection = {
      'envvar:A': '_vaultkv1:kv/a:k',
      'envvar:B': '_vaultkv1:kv/a:l',
      'envvar:C': '_vaultkv1:kv/b:k',
    }
    expect(await resolved(connection, { ...withAppRole(vault), VAULT_TOKEN: 'worthless' })).toEqual({
      ...{ 'envvar:A': 'v', 'envvar:B': 'w', 'envvar:C': 'x' },
    })
    const login = 'POST /v1/auth/approle/login'
    expect(vault.asked).toEqual([login, 'GET /v1/kv/a', login, 'GET /v1/kv/b'])
    const [{ headers, body } = { headers: {}, body: '' }] = vault.requests
    expect(body).toBe('{"role_id":"role-id","secret_id":"app-role-secret"}')
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-vault-request': 'true' })
    expect(headers).not.toHaveProperty('x-vault-token')
  })

  test('a login that is refused is the reason of the secret', async () => {
    await using vault = await VaultServer.start()
    expect(await failureOf(reference, withAppRole(vault))).toBe(
      refusal('envvar:A (kv/db) vault error response, status=400, errs=invalid role or secret ID'),
    )
  })

  test('a login whose answer has no auth gives an empty token', async () => {
    await using vault = await VaultServer.start()
    vault.answer = ({ method, headers }, response) =>
      method === 'POST'
        ? json(response, 200, {})
        : json(response, 403, { errors: [`token=${String(headers['x-vault-token'])}`] })
    expect(await failureOf(reference, withAppRole(vault))).toContain('errs=token=')
    expect(vault.requests[1]?.headers['x-vault-token']).toBe('')
  })

  test('a login whose answer is no JSON says so', async () => {
    await using vault = await VaultServer.start()
    vault.answer = (_, response) => raw(response, 200, '<')
    expect(await failureOf(reference, withAppRole(vault))).toContain(
      "(kv/db) failed decoding app role login response, status=200, length=1, reason=invalid character '<'",
    )
  })

  test('VAULT_ADDR is not looked at before an AppRole signs in', async () => {
    const env = { VAULT_APP_ROLE_ID: 'r', VAULT_APP_ROLE_SECRET_ID: 's' }
    expect(await failureOf(reference, env)).toBe(
      refusal('envvar:A (kv/db) Post "/v1/auth/approle/login": unsupported protocol scheme ""'),
    )
  })

  test.each([
    ['kubernetes', undefined, 'kubernetes'],
    ['kubernetes', '/k8s/prod/', 'k8s/prod'],
    ['jwt', undefined, 'jwt'],
  ])('%s signs in at %s with role and JWT, the file read anew each time', async (method, at, mount) => {
    await using vault = await VaultServer.start()
    using folder = temporary()
    const file = folder.file('first.jwt\n')
    vault.secrets['kv/db'] = { data: { k: 'v' } }
    const env = {
      ...{ VAULT_ADDR: vault.address, VAULT_AUTH_METHOD: method, VAULT_ROLE: 'agent', VAULT_JWT_FILE: file },
      ...(at !== undefined && { VAULT_AUTH_PATH: at }),
    }
    for (const jwt of ['first.jwt', 'second.jwt']) {
      writeFileSync(file, jwt)
      vault.logins[mount] = { role: 'agent', jwt }
      expect(await resolved(reference, env)).toEqual({ 'envvar:A': 'v' })
    }
    expect(vault.asked[0]).toBe(`POST /v1/auth/${mount}/login`)
  })

  test('a JWT file that is missing is the reason of the secret', async () => {
    await using vault = await VaultServer.start()
    const env = {
      VAULT_ADDR: vault.address,
      VAULT_AUTH_METHOD: 'kubernetes',
      VAULT_ROLE: 'agent',
      VAULT_JWT_FILE: '/nowhere/jwt',
    }
    expect(await failureOf(reference, env)).toBe(
      refusal('envvar:A (kv/db) open /nowhere/jwt: no such file or directory'),
    )
  })

  test('nothing that was sent comes back in an error, whatever Vault answers', async () => {
    await using vault = await VaultServer.start()
    vault.answer = ({ headers, body }, response) => raw(response, 502, JSON.stringify(headers) + body)
    expect(await failureOf(reference, withToken(vault))).not.toContain(TOKEN)
    expect(await failureOf(reference, withAppRole(vault))).not.toContain('app-role-secret')
  })
})

describe('the address', () => {
  const reference = { 'envvar:A': '_vaultkv1:kv/x:k' }

  test.each([
    ['vault:8200', 'Get "vault:8200/v1/kv/x": unsupported protocol scheme "vault"'],
    ['/vault', 'Get "/vault/v1/kv/x": unsupported protocol scheme ""'],
    [
      '127.0.0.1:8200',
      'failed creating http request, err=parse "127.0.0.1:8200/v1/kv/x": first path segment in URL cannot contain colon',
    ],
    [
      'http://127.0.0.1:1',
      'Get "http://127.0.0.1:1/v1/kv/x": dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    [
      'http://u:hunter2@127.0.0.1:1',
      'Get "http://u:***@127.0.0.1:1/v1/kv/x": dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    [
      'http://u:hunter2@:x',
      'failed creating http request, err=parse "http://***@:x/v1/kv/x": invalid host, user or port',
    ],
    [
      'http://u:hun/ter2@vault',
      'failed creating http request, err=parse "http://***@vault/v1/kv/x": invalid host, user or port',
    ],
    ['htps://u:hunter2@vault', 'Get "htps://***@vault/v1/kv/x": unsupported protocol scheme "htps"'],
    ['u:hunter2@vault', 'Get "***@vault/v1/kv/x": unsupported protocol scheme "u"'],
    [
      ' http://u:hunter2@vault',
      'failed creating http request, err=parse "***@vault/v1/kv/x": first path segment in URL cannot contain colon',
    ],
  ])('%s fails in the words of Go', async (address, text) => {
    expect(await failureOf(reference, { VAULT_ADDR: address, VAULT_TOKEN: TOKEN })).toBe(
      refusal(`envvar:A (kv/x) ${text}`),
    )
  })

  test('user and password of the address go along', async () => {
    await using vault = await VaultServer.start()
    vault.secrets['kv/x'] = { data: { k: 'v' } }
    const env = { ...withToken(vault), VAULT_ADDR: `http://u:p%40@127.0.0.1:${vault.port}` }
    expect(await resolved(reference, env)).toEqual({ 'envvar:A': 'v' })
    expect(vault.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('u:p@').toString('base64')}`)
  })
})

describe('redirects', () => {
  const reference = { 'envvar:A': '_vaultkv1:kv/x:k' }

  test.each([301, 302, 303, 307, 308])(
    '%i to another server is not followed, and the token does not go there',
    async (status) => {
      await using vault = await VaultServer.start()
      await using other = await VaultServer.start()
      vault.answer = (_, response) => raw(response, status, '', { Location: `${other.address}/v1/kv/x` })
      const elsewhere = `http://127.0.0.1:${other.port}`
      expect(await failureOf(reference, withToken(vault))).toBe(
        refusal(
          `envvar:A (kv/x) redirected to "${elsewhere}", but the token must not be sent there: set VAULT_ADDR to the final address`,
        ),
      )
      expect(await failureOf(reference, withAppRole(vault))).toContain('the token must not be sent there')
      expect(other.requests).toEqual([])
    },
  )

  test.each(['//127.0.0.2/x', 'https://127.0.0.1:PORT/v1/kv/x', 'other', 'ftp://x'])(
    'nor to %s',
    async (location) => {
      await using vault = await VaultServer.start()
      vault.answer = (_, response) =>
        raw(response, 307, '', { Location: location.replace('PORT', String(vault.port)) })
      expect(await failureOf(reference, withToken(vault))).toContain('the token must not be sent there')
      expect(vault.requests).toHaveLength(1)
    },
  )

  test.each(['', 'same'])('to the same server they are followed, %j', async (absolute) => {
    await using vault = await VaultServer.start()
    const location = `${absolute === '' ? '' : vault.address}/v1/kv/there`
    vault.answer = ({ url }, response) =>
      url === '/v1/kv/x'
        ? raw(response, 307, '', { Location: location })
        : json(response, 200, { data: { k: 'v' } })
    expect(await resolved(reference, withToken(vault))).toEqual({ 'envvar:A': 'v' })
    expect(vault.requests[1]?.headers['x-vault-token']).toBe(TOKEN)
  })

  test('in a circle they end', async () => {
    await using vault = await VaultServer.start()
    vault.answer = ({ url }, response) => raw(response, 307, '', { Location: url })
    expect(await failureOf(reference, withToken(vault))).toContain('(kv/x) stopped after 10 redirects')
  })
})

describe('TLS', () => {
  const reference = { 'envvar:A': '_vaultkv1:kv/x:k' }
  const authority = new Authority('vault')
  const own = authority.issue({ names: ['127.0.0.1'] })
  const ca = authority.certificate
  const unknown = 'tls: failed to verify certificate: x509: certificate signed by unknown authority'

  test.each([
    ['PEM', () => ca],
    ['base64://', () => `base64://${Buffer.from(ca).toString('base64')}`],
  ])('VAULT_CACERT as %s is the only authority', async (_, value) => {
    await using vault = await VaultServer.start(own)
    vault.secrets['kv/x'] = { data: { k: 'v' } }
    expect(await resolved(reference, { ...withToken(vault), VAULT_CACERT: value() })).toEqual({
      'envvar:A': 'v',
    })
    await using foreign = await VaultServer.start(new Authority('other').issue({ names: ['127.0.0.1'] }))
    expect(await failureOf(reference, { ...withToken(foreign), VAULT_CACERT: value() })).toBe(
      refusal(`envvar:A (kv/x) Get "${foreign.address}/v1/kv/x": ${unknown}`),
    )
    expect(foreign.requests).toEqual([])
  })

  test('VAULT_CACERT may be a file', async () => {
    await using vault = await VaultServer.start(own)
    using folder = temporary()
    vault.secrets['kv/x'] = { data: { k: 'v' } }
    const env = { ...withToken(vault), VAULT_CACERT: `file://${folder.file(ca)}` }
    expect(await resolved(reference, env)).toEqual({ 'envvar:A': 'v' })
  })

  test('without VAULT_CACERT the authorities of the system count', async () => {
    await using vault = await VaultServer.start(own)
    expect(await failureOf(reference, withToken(vault))).toContain(unknown)
    expect(vault.requests).toEqual([])
  })

  test('HOOP_TLS_SKIP_VERIFY=true counts here too', async () => {
    await using vault = await VaultServer.start(own)
    vault.secrets['kv/x'] = { data: { k: 'v' } }
    const env = { ...withToken(vault), HOOP_TLS_SKIP_VERIFY: 'true' }
    expect(await resolved(reference, env)).toEqual({ 'envvar:A': 'v' })
  })

  test.each([
    ['is for another name', { names: ['vault.example'] }, 'x509: certificate is not valid for 127.0.0.1'],
    [
      'has ended',
      { names: ['127.0.0.1'], validTo: new Date(Date.now() - 1000) },
      'x509: certificate has expired or is not yet valid',
    ],
  ])('a certificate that %s is refused', async (_, request, text) => {
    await using vault = await VaultServer.start(authority.issue(request))
    expect(await failureOf(reference, { ...withToken(vault), VAULT_CACERT: ca })).toContain(text)
    expect(vault.requests).toEqual([])
  })

  test('VAULT_CACERT without a certificate fails each secret', async () => {
    await using vault = await VaultServer.start(own)
    expect(await failureOf(reference, { ...withToken(vault), VAULT_CACERT: 'nonsense' })).toBe(
      refusal('envvar:A (kv/x) failed to append root CA into cert pool'),
    )
  })

  test('https to a server without TLS says so', async () => {
    await using vault = await VaultServer.start()
    const env = { VAULT_ADDR: `https://127.0.0.1:${vault.port}`, VAULT_TOKEN: TOKEN, VAULT_CACERT: ca }
    expect(await failureOf(reference, env)).toContain('http: server gave HTTP response to HTTPS client')
  })
})

describe('a Vault that is ill', () => {
  const reference = { 'envvar:A': '_vaultkv1:kv/x:k' }
  const quick = { VAULT_HTTP_REQ_TIMEOUT: '1001ms' }

  test('slow: the request ends after VAULT_HTTP_REQ_TIMEOUT', async () => {
    await using vault = await VaultServer.start()
    vault.answer = () => undefined
    expect(await failureOf(reference, { ...withToken(vault), ...quick })).toBe(
      refusal(`envvar:A (kv/x) Get "${vault.address}/v1/kv/x": request timeout (1.001s)`),
    )
  })

  test('slow in the middle of the answer', async () => {
    await using vault = await VaultServer.start()
    vault.answer = (_, response) => response.writeHead(200).write('{"data":{"k":"v"')
    expect(await failureOf(reference, { ...withToken(vault), ...quick })).toBe(
      refusal(
        'envvar:A (kv/x) failed decoding response, status=200, length=-1, reason=request timeout (1.001s)',
      ),
    )
  })

  test('half an answer', async () => {
    await using vault = await VaultServer.start()
    vault.answer = (_, response) => {
      response.writeHead(200, { 'Content-Length': 100 })
      response.write('{"data":{"k":"hunter2"', () => response.socket?.destroy())
    }
    expect(await failureOf(reference, withToken(vault))).toBe(
      refusal('envvar:A (kv/x) failed decoding response, status=200, length=100, reason=unexpected EOF'),
    )
  })

  test('no answer', async () => {
    await using vault = await VaultServer.start()
    vault.answer = (_, response) => response.socket?.destroy()
    expect(await failureOf(reference, withToken(vault))).toBe(
      refusal(`envvar:A (kv/x) Get "${vault.address}/v1/kv/x": EOF`),
    )
  })

  test.each([200, 403, 500])('500 MB of an answer with status %i: 1 MiB of it is read', async (status) => {
    await using vault = await VaultServer.start()
    let written = () => 0
    vault.answer = (_, response) => (written = flood(response, status))
    const text = await failureOf(reference, withToken(vault))
    expect(text).toContain('the answer is longer than 1048576 bytes')
    expect(written()).toBeLessThan(64 * 1024 * 1024)
  })

  test('a session that is over does not wait, and its error is none of a connection', async () => {
    await using vault = await VaultServer.start()
    const over = new AbortController()
    const reason = new Error('over')
    vault.answer = () => over.abort(reason)
    const connection = { ...reference, 'envvar:B': '_vaultkv1:y:k' }
    await expect(resolved(connection, withToken(vault), { ended: over.signal })).rejects.toBe(reason)
    expect(vault.requests).toHaveLength(1)
  })

  test.each([
    [201, '(not shown)'],
    [203, '(not shown)'],
    [300, '(not shown)'],
    [503, '{"data":{"k":"hunter2"}}'],
  ])('the body of an answer with status %i is shown only when it is a failure', async (status, shown) => {
    await using vault = await VaultServer.start()
    vault.answer = (_, response) => json(response, status, { data: { k: 'hunter2' } })
    expect(await failureOf(reference, withToken(vault))).toBe(
      refusal(`envvar:A (kv/x) failed performing request, status=${status}, body=${shown}`),
    )
  })

  test.each([403, 500])('a long text with status %i is cut, and no token in it', async (status) => {
    await using vault = await VaultServer.start()
    for (const length of [3980, 500_000]) {
      const text = 'x'.repeat(length) + TOKEN.repeat(20)
      vault.answer = (_, response) => json(response, status, { errors: [text] })
      const told = await failureOf(reference, withToken(vault))
      expect(told.length).toBeLessThan(4300)
      expect(told).not.toContain(TOKEN.slice(0, 6))
    }
  })

  test('ten thousand references to it: some are told, the rest counted', async () => {
    await using vault = await VaultServer.start()
    vault.answer = (_, response) => json(response, 403, { errors: ['"'.repeat(4000)] })
    const names = Array.from({ length: 10_000 }, (_, at) => [`envvar:A${at}`, '_vaultkv1:kv/x:k'])
    const text = await failureOf(Object.fromEntries(names) as Plain, withToken(vault))
    expect(text).toMatch(/" and 99\d\d more\]$/)
    expect(text.length).toBeLessThan(128 * 1024)
    expect(vault.requests).toHaveLength(1)
  })

  test.each(['1000.5ms', '1000h', '3000000h'])('VAULT_HTTP_REQ_TIMEOUT=%s is waited for', async (value) => {
    await using vault = await VaultServer.start()
    vault.secrets['kv/x'] = { data: { k: 'v' } }
    const env = { ...withToken(vault), VAULT_HTTP_REQ_TIMEOUT: value }
    expect(await resolved(reference, env)).toEqual({ 'envvar:A': 'v' })
  })

  test('a name of a header that cannot be sent is told', async () => {
    await using vault = await VaultServer.start()
    const env = { ...withToken(vault), VAULT_NAMESPACE: 'a\r\nX-Evil: b' }
    expect(await failureOf(reference, env)).toContain(
      'invalid header field value for \\"X-Vault-Namespace\\"',
    )
    expect(vault.requests).toEqual([])
  })

  test('authorities that cannot be read are refused for http:// too', async () => {
    await using vault = await VaultServer.start()
    const env = { ...withToken(vault), VAULT_CACERT: 'nonsense' }
    expect(await failureOf(reference, env)).toBe(
      refusal('envvar:A (kv/x) failed to append root CA into cert pool'),
    )
    expect(vault.requests).toEqual([])
  })

  test.each([
    ['in drips', (response) => void setInterval(() => response.write(' '), 20).unref()],
    [
      'with headers without an end',
      (response) => void setInterval(() => response.writeProcessing(), 20).unref(),
    ],
  ] satisfies [string, (response: ServerResponse) => void][])(
    'an answer %s ends in time',
    async (_kind, answer) => {
      await using vault = await VaultServer.start()
      vault.answer = (_, response) => answer(response)
      expect(await failureOf(reference, { ...withToken(vault), ...quick })).toContain(
        'request timeout (1.001s)',
      )
    },
  )

  test.each([
    ['a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhunter2'],
    ['a flood of headers', `HTTP/1.1 200 OK\r\n${'X: hunter2\r\n'.repeat(10_000)}\r\n`],
    ['gzip', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\n\x1f\x8bhunte'],
    ['what is not HTTP', 'hunter2\r\n\r\n'],
  ])('an answer with %s is refused, and nothing of it shown', async (_kind, answer) => {
    await using vault = await VaultServer.start()
    vault.answer = (_, response) => void response.socket?.end(answer, 'latin1')
    const text = await failureOf(reference, withToken(vault))
    expect(text).toContain('envvar:A (kv/x) ')
    expect(text).not.toContain('hunte')
  })

  test('members with the names of JavaScript are members', async () => {
    await using vault = await VaultServer.start()
    const data = '{"data":{"__proto__":"p","k":"first","k":"last","constructor":"c"}}'
    vault.answer = (_, response) => raw(response, 200, data)
    const keys = { A: '__proto__', B: 'k', C: 'constructor' }
    const connection = Object.fromEntries(
      Object.entries(keys).map(([name, key]) => [`envvar:${name}`, `_vaultkv1:kv/x:${key}`]),
    )
    expect(await resolved(connection, withToken(vault))).toEqual({
      ...{ 'envvar:A': 'p', 'envvar:B': 'last', 'envvar:C': 'c' },
    })
    expect(await failureOf({ 'envvar:A': '_vaultkv1:kv/x:toString' }, withToken(vault))).toContain('was not')
  })

  test.each([
    ['x', 'VAULT_HTTP_REQ_TIMEOUT="x" is not a duration (1500ms, 10s), using default 5s'],
    ['1s', 'VAULT_HTTP_REQ_TIMEOUT="1s" is too low (<=1s), using default 5s'],
    ['-3s', 'VAULT_HTTP_REQ_TIMEOUT="-3s" is too low (<=1s), using default 5s'],
  ])('VAULT_HTTP_REQ_TIMEOUT=%s only logs', async (value, warning) => {
    await using vault = await VaultServer.start()
    vault.secrets['kv/x'] = { data: { k: 'v' } }
    const warnings: string[] = []
    const env = { ...withToken(vault), VAULT_HTTP_REQ_TIMEOUT: value }
    expect(await resolved(reference, env, { warn: (text) => warnings.push(text) })).toEqual({
      'envvar:A': 'v',
    })
    expect(warnings).toEqual([warning])
  })
})

/** A folder with files, removed afterwards. */
function temporary(): Disposable & { file(content: string): string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'vault-'))
  return {
    file(content) {
      const file = path.join(folder, 'file')
      writeFileSync(file, content)
      return file
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}
