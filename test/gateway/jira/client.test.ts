import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Jira, JiraError } from '../../../src/gateway/jira/client.ts'
import { Authority } from '../../support/network/certificates.ts'
import { ConnectProxy } from '../../support/network/connect-proxy.ts'
import { flood } from '../../support/network/flood.ts'
import { JIRA_TOKEN, JiraServer } from '../../support/scripted/jira.ts'
import { json, ScriptedRest, type Script } from '../../support/scripted/scripted-rest.ts'
import { waitFor } from '../../support/wait.ts'
import { jiraSettings, jiraTemplate, TEMPLATE } from './template.ts'

const template = jiraTemplate()
const never = new AbortController().signal
const values = { summary: 'Hoop Session', customfield_1: 'ada' }

let server: JiraServer
beforeAll(async () => {
  server = await JiraServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
})
beforeEach(() => {
  server.projects = ['OPS']
  server.rest.received.length = 0
  server.answers('list', server.scriptOf('list')).answers('create', server.scriptOf('create'))
})

const jiraOf = (more = '', site = server) => new Jira(jiraSettings(site.settings(`{ ${TEMPLATE} }`, more)))
const create = (jira = jiraOf()) => jira.create(template, values, never)
const failureOf = async (asked: Promise<unknown>): Promise<JiraError> => {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof JiraError)) throw new Error('it did not fail as it should', { cause: error })
  return error
}
const plain =
  (status: number, body: string, headers = {}): Script =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)
const half: Script = (_, response) => {
  response.writeHead(200, { 'content-length': 100 }).write('{"values":[')
  response.socket?.end()
}
const closed: Script = (_, response) => void response.socket?.destroy()

describe('an issue', () => {
  it('is created with the two calls of hoop, and has its key and its address', async () => {
    const { key, url } = await create()
    expect(url).toBe(server.link(key))
    expect(server.asked).toEqual([
      'GET /rest/servicedeskapi/servicedesk?limit=100',
      'POST /rest/servicedeskapi/request',
    ])
    const [{ headers, body } = { headers: {}, body: {} }] = server.rest.asked(
      'POST /rest/servicedeskapi/request',
    )
    const authorization = `Basic ${Buffer.from(`gateway@example.test:${JIRA_TOKEN}`).toString('base64')}`
    expect(headers).toMatchObject({
      authorization,
      'content-type': 'application/json',
      accept: 'application/json',
    })
    expect(body).toEqual({
      ...{ serviceDeskId: '7', requestTypeId: '25', isAdfRequest: false },
      requestFieldValues: values,
    })
  })

  it('is created in a service desk on a later page', async () => {
    server.projects = [...Array.from({ length: 230 }, (_, i) => `P${i}`), 'OPS']
    await create()
    expect(server.asked.slice(0, 3)).toEqual([
      'GET /rest/servicedeskapi/servicedesk?limit=100',
      'GET /rest/servicedeskapi/servicedesk?limit=100&start=100',
      'GET /rest/servicedeskapi/servicedesk?limit=100&start=200',
    ])
  })

  it('is not looked for any further than through 2,000 service desks', async () => {
    server.projects = [...Array.from({ length: 2500 }, (_, i) => `P${i}`), 'OPS']
    const { message } = await failureOf(create())
    expect(message).toBe(
      'unable to find service desk id for OPS, the project is not among the first 2000 service desks',
    )
    expect(server.asked).toHaveLength(20)
  })

  it('has an address of the site when Jira tells none that a browser opens', async () => {
    for (const agent of [undefined, 'javascript:alert(1)', 'https://a b', `https://x/${'y'.repeat(2000)}`]) {
      server.answers('create', json(201, { issueKey: 'OPS-9', _links: { agent } }))
      expect(await create()).toEqual({ key: 'OPS-9', url: `${server.url}/browse/OPS-9` })
    }
  })

  it('is created below the path of the address', async () => {
    await using rest = await ScriptedRest.start()
    const asked: string[] = []
    rest.on(
      'GET /jira/rest/servicedeskapi/servicedesk',
      json(200, { values: [{ id: 1, projectKey: 'OPS' }] }),
    )
    rest.on('POST /jira/rest/servicedeskapi/request', ({ body }, response) => {
      asked.push(JSON.stringify(body))
      json(201, { issueKey: 'OPS-1' })({} as never, response)
    })
    const site = `url: '${rest.url}/jira/', user: u, api_token: a-token-of-a-test, templates: []`
    expect(await create(new Jira(jiraSettings(`{ ${site} }`)))).toMatchObject({ key: 'OPS-1' })
    expect(asked[0]).toContain('"serviceDeskId":"1"')
  })
})

describe('the service desks', () => {
  const listed = (answer: string) => `unable to list service desk resources, api-url=${server.url}, ${answer}`
  const asked = (reason: string) =>
    `failed performing service desk http request for OPS, reason=Get "${server.url}/rest/servicedeskapi/servicedesk?limit=100": ${reason}`
  const noList = (answer: string) =>
    `failed performing service desk http request for OPS, reason=the answer is not a list of service desks, ${answer}`

  it.each<[string, Script, () => string]>([
    ['without the project', json(200, { values: [] }), () => 'unable to find project key OPS'],
    [
      'without the project on a page that is not the last, and empty',
      json(200, { values: [], isLastPage: false }),
      () => 'unable to find project key OPS',
    ],
    ['status 500', plain(500, 'boom'), () => listed('status=500, body=boom')],
    ['status 403', json(403, { errorMessage: 'no' }), () => listed('status=403, body={"errorMessage":"no"}')],
    [
      'a redirect to another host, which is not followed',
      plain(302, '', { location: 'http://127.0.0.1:1/elsewhere' }),
      () => listed('status=302, body='),
    ],
    ['a redirect to itself', plain(301, '', { location: '/' }), () => listed('status=301, body=')],
    ['what is no JSON', plain(200, '<html>'), () => noList('status=200, body=<html>')],
    ['JSON of another form', json(200, [1]), () => noList('status=200, body=[1]')],
    [
      'JSON that is too deep',
      plain(200, '['.repeat(5000)),
      () => noList(`status=200, body=${'['.repeat(1000)}...`),
    ],
    ['half an answer', half, () => asked('status=200, unexpected EOF')],
    ['a connection that is closed', closed, () => asked('EOF')],
    [
      '500 MB of an answer',
      (_, response) => void flood(response, 200),
      () => asked('status=200, the answer is longer than 1048576 bytes'),
    ],
  ])('end it in the words of hoop: %s', async (_, script, text) => {
    server.answers('list', script)
    const { message, isUnsure } = await failureOf(create())
    expect(message).toBe(text())
    expect(isUnsure).toBe(false)
    expect(server.requests).toEqual([])
  })

  it('end it when nobody listens there', async () => {
    await using gone = await ScriptedRest.start()
    const { url, port } = gone
    await gone[Symbol.asyncDispose]()
    const site = `url: '${url}', user: u, api_token: a-token-of-a-test, templates: []`
    const { message, isUnsure } = await failureOf(create(new Jira(jiraSettings(`{ ${site} }`))))
    expect(message).toBe(
      `failed performing service desk http request for OPS, reason=Get "${url}/rest/servicedeskapi/servicedesk?limit=100": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    )
    expect(isUnsure).toBe(false)
  })

  it('end it when the token is refused, and it is not said', async () => {
    await using other = await JiraServer.start(undefined, 'ATATT-another-token-0123456789')
    const { message } = await failureOf(create(jiraOf('', other)))
    expect(message).toBe(
      `unable to list service desk resources, api-url=${other.url}, status=401, body=Client must be authenticated to access this resource.`,
    )
  })

  it('end it without the token, which an answer repeats, and cut', async () => {
    const credentials = Buffer.from(`gateway@example.test:${JIRA_TOKEN}`).toString('base64')
    server.answers('list', plain(400, `${JIRA_TOKEN} and\n\u001b[2J${credentials} ${'😀'.repeat(1000)}`))
    const { message } = await failureOf(create())
    expect(message).toContain('body=[REDACTED] and [2J[REDACTED] 😀')
    expect(message).not.toContain(JIRA_TOKEN)
    expect(message.endsWith('😀...')).toBe(true)
    expect(message.length).toBeLessThan(1200)
  })
})

describe('the creation', () => {
  const url = () => `${server.url}/rest/servicedeskapi/request`

  it.each<[string, Script, () => string, boolean]>([
    [
      'a field that Jira does not know',
      json(400, { errorMessage: 'x' }),
      () => 'unable to create jira issue, status=400, body={"errorMessage":"x"}',
      false,
    ],
    ['status 502', plain(502, 'bad'), () => 'unable to create jira issue, status=502, body=bad', true],
    ['status 200', plain(200, '{}'), () => 'unable to create jira issue, status=200, body={}', false],
    [
      'an answer without a key',
      json(201, {}),
      () => 'failed creating jira issue, reason=the answer has no issueKey, status=201, body={}',
      true,
    ],
    [
      'a key that would be a path',
      json(201, { issueKey: '../../x-1' }),
      () =>
        'failed creating jira issue, reason=the answer has no issueKey, status=201, body={"issueKey":"../../x-1"}',
      true,
    ],
    [
      'half an answer',
      half,
      () => `failed creating jira issue, reason=Post "${url()}": status=200, unexpected EOF`,
      true,
    ],
    [
      'a connection that is closed',
      closed,
      () => `failed creating jira issue, reason=Post "${url()}": EOF`,
      true,
    ],
    [
      '500 MB of an answer',
      (_, response) => void flood(response, 201),
      () =>
        `failed creating jira issue, reason=Post "${url()}": status=201, the answer is longer than 1048576 bytes`,
      true,
    ],
  ])(
    'fails in the words of hoop, and says whether there may be an issue: %s',
    async (_, script, text, unsure) => {
      server.answers('create', script)
      const { message, isUnsure } = await failureOf(create())
      expect([message, isUnsure]).toEqual([text(), unsure])
    },
  )

  it('is refused by Jira with its own text', async () => {
    const fields = { summary: 'x', customfield_99: 'y' }
    const { message } = await failureOf(jiraOf().create(template, fields, never))
    expect(message).toContain('status=400, body={"errorMessage":"Field \'customfield_99\' cannot be set.')
  })

  it('has one limit of time for all calls, and one that ends when the gateway does', async () => {
    const waiting: ServerResponse[] = []
    server.answers('create', (_, response) => void waiting.push(response))
    const { message, isUnsure } = await failureOf(create(jiraOf('timeout: 1s,')))
    expect(message).toBe(
      `failed creating jira issue, reason=Post "${url()}": the request took too long (jira.timeout)`,
    )
    expect(isUnsure).toBe(true)
    const over = new AbortController()
    const asked = failureOf(jiraOf().create(template, values, over.signal))
    await waitFor(() => waiting.length === 2)
    over.abort()
    expect((await asked).message).toContain('the gateway is stopping')
  })
})

describe('an issue that is moved', () => {
  const moved = async (status: string, script?: Script) => {
    const { key } = await create()
    if (script !== undefined) server.transitionsOf(key, script)
    server.rest.received.length = 0
    const error = await jiraOf()
      .move(key, status, never)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    const issue = server.issues.find((one) => one.key === key)
    return { key, error: error as JiraError | undefined, status: issue?.status }
  }

  it('takes the available transition whose target has the name, in any case of letters', async () => {
    const { key, status } = await moved('dOnE')
    expect(status).toBe('Done')
    expect(server.rest.received.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', `/rest/api/3/issue/${key}/transitions`, ''],
      ['POST', `/rest/api/3/issue/${key}/transitions`, { transition: { id: '31' } }],
    ])
  })

  it('stays where it is when it is there already', async () => {
    const { key } = await create()
    await jiraOf().move(key, 'done', never)
    server.rest.received.length = 0
    await jiraOf().move(key, 'done', never)
    expect(server.asked).toEqual([
      `GET /rest/api/3/issue/${key}/transitions`,
      `GET /rest/api/3/issue/${key}?fields=status`,
    ])
  })

  it('fails for good when no transition leads there, in the words of hoop', async () => {
    const { key, error } = await moved('in review')
    expect(error).toMatchObject({
      message: `unable to find a issue transition matching "in review", issue=${key}, transition-names=["In Progress" "Done" "Done"]`,
      isLasting: true,
    })
  })

  it.each<[string, Script, RegExp, boolean]>([
    [
      'status 404',
      json(404, { errorMessages: ['gone'] }),
      /status=404, body=\{"errorMessages":\["gone"\]\}$/,
      true,
    ],
    ['status 400', plain(400, 'no'), /status=400, body=no$/, true],
    ['status 401', plain(401, ''), /status=401, body=$/, false],
    ['status 429', plain(429, 'slow'), /status=429, body=slow$/, false],
    ['status 503', plain(503, ''), /status=503, body=$/, false],
    ['nonsense', plain(200, 'x'), /status=200, body=x: unexpected form of the answer$/, false],
    ['half an answer', half, /unexpected EOF$/, false],
    ['500 MB', (_, response) => void flood(response, 200), /longer than 1048576 bytes$/, false],
  ])('fails, and it is known whether that lasts: %s', async (_, script, text, lasting) => {
    const { error, status } = await moved('done', script)
    expect(error?.message).toMatch(text)
    expect([error?.isLasting, status]).toEqual([lasting, 'Open'])
  })

  it('fails when Jira refuses the transition', async () => {
    const { key } = await create()
    const transitions = server.rest.scriptOf(`GET /rest/api/3/issue/${key}/transitions`)
    server.transitionsOf(key, (received, response) => {
      const answer = received.method === 'GET' ? transitions : json(409, { errorMessages: ['busy'] })
      answer(received, response)
    })
    const error = await failureOf(jiraOf().move(key, 'done', never))
    expect(error.message).toContain('status=409, body={"errorMessages":["busy"]}')
    expect(error.isLasting).toBe(false)
  })
})

describe('a site with TLS', () => {
  const authority = new Authority('jira')
  const ca = JSON.stringify(authority.certificate)

  it('is trusted by the authority of the settings, and by no other', async () => {
    await using site = await JiraServer.start(authority.issue({ names: ['127.0.0.1'] }))
    expect(await create(jiraOf(`ca: ${ca},`, site))).toMatchObject({ key: 'OPS-1' })
    const { message, isUnsure } = await failureOf(create(jiraOf('', site)))
    expect(message).toContain('x509: certificate signed by unknown authority')
    expect(isUnsure).toBe(false)
  })

  it('is reached through the proxy of the environment', async () => {
    await using site = await JiraServer.start(authority.issue({ names: ['jira.invalid'] }))
    await using proxy = await ConnectProxy.start(site.rest.port)
    const env = { HTTPS_PROXY: `http://me:pw@${proxy.address}` }
    const yaml = `{ url: https://jira.invalid, user: gateway@example.test, api_token: ${JIRA_TOKEN}, ca: ${ca}, templates: [] }`
    const jira = new Jira(jiraSettings(yaml, env))
    expect(await create(jira)).toMatchObject({ key: 'OPS-1' })
    expect(proxy.targets).toEqual(['jira.invalid:443', 'jira.invalid:443'])
    proxy.refusal = 'silence'
    const over = new AbortController()
    const asked = failureOf(jira.create(template, values, over.signal))
    await waitFor(() => proxy.targets.length === 3)
    over.abort()
    expect((await asked).message).toContain('the gateway is stopping')
  })
})
