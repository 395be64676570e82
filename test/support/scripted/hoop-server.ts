import { randomUUID } from 'node:crypto'
import { json, ScriptedRest, type Received, type Script } from './scripted-rest.ts'

type Stored = Record<string, unknown>

export const HOOP_TOKEN = 'the-token-of-an-admin-0123456789'

/** A list of objects of one kind, and what hoop checks before it takes one. */
interface Collection {
  readonly path: string
  /** In paths: their id or their name. */
  readonly key: 'id' | 'name'
  readonly created: number
  readonly objects: Stored[]
  readonly required: readonly string[]
  /** The refusal of a body, as status and text. */
  readonly check?: (body: Stored, isNew: boolean) => readonly [number, string] | undefined
}

const MODES = ['access_mode_runbooks', 'access_mode_exec', 'access_mode_connect', 'access_schema']
const NAME_RULE =
  'name: it must contain between 3 and 254 alphanumeric characters, it may include (-), (_) or (.) characters'

/**
 * hoop's gateway as administrators see it: it keeps what it is given, and checks, answers and refuses as the real one
 * does. Its lists of connections have no secrets; one connection alone has, unless `hidesSecrets`.
 */
export class HoopServer implements AsyncDisposable {
  readonly rest: ScriptedRest
  licence: 'oss' | 'enterprise' = 'enterprise'
  hidesSecrets = false
  hasMaskingProvider = true
  isAdmin = true
  readonly agents: Stored[] = []
  readonly connections: Stored[] = []
  readonly guardrails: Stored[] = []
  readonly masking: Stored[] = []
  readonly templates: Stored[] = []
  readonly reviewRules: Stored[] = []
  readonly runbookRules: Stored[] = []
  readonly repositories: Stored[] = []
  jira: Stored | undefined
  /** Groups by the id of the connection; undefined: access control is off. */
  accessControl: Map<string, string[]> | undefined

  static async start(): Promise<HoopServer> {
    return new HoopServer(await ScriptedRest.start())
  }

  private constructor(rest: ScriptedRest) {
    this.rest = rest
    this.#serverRoutes()
    this.#agentRoutes()
    for (const collection of this.#collections()) this.#routesOf(collection)
    this.#jiraRoutes()
    this.#repositoryRoutes()
    this.#accessControlRoutes()
  }

  get url(): string {
    return this.rest.url
  }

  /** What was written, as `POST /api/agents`, in order. */
  get writes(): string[] {
    return this.rest.received.flatMap(({ method, url }) => (method === 'GET' ? [] : [`${method} ${url}`]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rest[Symbol.asyncDispose]()
  }

  #on(place: string, script: (received: Received, body: Stored) => Script): void {
    this.rest.on(place, (received, response) => {
      const isKnown = received.headers.authorization === `Bearer ${HOOP_TOKEN}`
      const mayWrite = received.method === 'GET' || this.isAdmin
      const refused = isKnown ? (mayWrite ? undefined : 403) : 401
      const answer =
        refused === undefined
          ? script(received, (received.body as Stored | '') || {})
          : json(refused, { message: 'access denied' })
      answer(received, response)
    })
  }

  #serverRoutes(): void {
    this.#on('GET /api/serverinfo', () =>
      json(200, { version: '1.2.3', license_info: { type: this.licence, is_valid: true } }),
    )
    this.#on('GET /api/userinfo', () => json(200, { email: 'root@example.test', is_admin: this.isAdmin }))
  }

  #agentRoutes(): void {
    this.#on('GET /api/agents', () => json(200, this.agents))
    this.#on('POST /api/agents', (_, { name, mode }) => {
      if (this.agents.some((one) => one['name'] === name)) return refused(409, 'resource already exists')
      if (!isName(name)) return refused(422, NAME_RULE)
      const agent = { id: randomUUID(), token: '', name, mode, status: 'DISCONNECTED', metadata: {} }
      this.agents.push(agent)
      this.#on(`GET /api/agents/${String(name)}`, () => json(200, agent))
      return json(201, {
        token: `grpc://${String(name)}:xagt-${'k'.repeat(43)}@127.0.0.1:8010?mode=standard`,
      })
    })
  }

  #collections(): Collection[] {
    const one = { key: 'id', created: 201, required: ['name'] } as const
    const limited =
      (objects: Stored[], text: string): NonNullable<Collection['check']> =>
      (_, isNew) =>
        this.licence === 'oss' && isNew && objects.length > 0 ? [403, text] : undefined
    return [
      {
        ...{ path: '/api/connections', key: 'name', created: 201, objects: this.connections },
        required: ['name', 'type', 'agent_id', ...MODES],
        check: (body, isNew) => this.#connectionRefusal(body, isNew),
      },
      {
        ...{ ...one, path: '/api/guardrails', objects: this.guardrails },
        check: limited(this.guardrails, 'guardrail rules are limited to 1 rule in OSS version'),
      },
      {
        ...{ ...one, path: '/api/datamasking-rules', objects: this.masking },
        check: (body) => this.#maskingRefusal(body),
      },
      {
        ...{ ...one, path: '/api/integrations/jira/issuetemplates', created: 200, objects: this.templates },
        required: ['name', 'project_key', 'request_type_id'],
        check: () => (this.jira === undefined ? [400, 'jira integration is not enabled'] : undefined),
      },
      {
        ...{ path: '/api/access-requests/rules', key: 'name', created: 201, objects: this.reviewRules },
        required: ['name', 'access_type'],
        check: (body, isNew) => this.#reviewRefusal(body, isNew),
      },
      {
        ...{ ...one, path: '/api/runbooks/rules', objects: this.runbookRules },
        check: ({ runbooks, connections, user_groups: groups }) =>
          [runbooks, connections, groups].every(Array.isArray) ? undefined : [400, 'invalid request body'],
      },
    ]
  }

  #routesOf(collection: Collection): void {
    const { path, objects, created } = collection
    this.#on(`GET ${path}`, () => json(200, this.#listOf(collection)))
    this.#on(`POST ${path}`, (_, body) => {
      const refusal = refusalOf(collection, body, true)
      if (refusal !== undefined) return refused(...refusal)
      const stored: Stored = { ...body, id: randomUUID(), managed_by: null, created_at: new Date() }
      objects.push(stored)
      this.#routesOfOne(collection, stored)
      return json(created, stored)
    })
  }

  #listOf({ path, objects }: Collection): unknown {
    if (path === '/api/access-requests/rules')
      return { pages: { total: objects.length, page: 1, size: 0 }, data: objects }
    return path === '/api/connections' ? objects.map((one) => ({ ...one, secret: {} })) : objects
  }

  #routesOfOne(collection: Collection, stored: Stored): void {
    const place = `${collection.path}/${String(stored[collection.key])}`
    this.#on(`GET ${place}`, () => json(200, this.#shown(stored)))
    this.#on(`PUT ${place}`, (_, body) => {
      const refusal = refusalOf(collection, body, false)
      if (refusal !== undefined) return refused(...refusal)
      const { id, name, secret } = stored
      for (const key of Object.keys(stored)) Reflect.deleteProperty(stored, key)
      Object.assign(stored, body, {
        id,
        name,
        ...(secret !== undefined && { secret: overlaid(secret, body) }),
      })
      return json(200, stored)
    })
  }

  #shown(stored: Stored): Stored {
    if (!this.hidesSecrets || typeof stored['secret'] !== 'object') return stored
    const hidden = Object.keys(stored['secret'] ?? {}).map((name) => [name, null] as const)
    return { ...stored, secret: Object.fromEntries(hidden) }
  }

  #connectionRefusal(
    { name, agent_id: agent }: Stored,
    isNew: boolean,
  ): readonly [number, string] | undefined {
    if (!isName(name)) return [422, NAME_RULE]
    if (isNew && this.connections.some((one) => one['name'] === name))
      return [409, 'Connection already exists.']
    return this.agents.some(({ id }) => id === agent) ? undefined : [500, 'violates foreign key constraint']
  }

  #maskingRefusal({ connection_ids: ids }: Stored): readonly [number, string] | undefined {
    if (!this.hasMaskingProvider)
      return [422, 'no data masking provider is configured: data masking requires a DLP provider']
    const isKnown = (id: unknown) => this.connections.some((one) => one['id'] === id)
    return Array.isArray(ids) && ids.every(isKnown) ? undefined : [400, 'connection not found']
  }

  #reviewRefusal(body: Stored, isNew: boolean): readonly [number, string] | undefined {
    if (this.licence === 'oss' && isNew && this.reviewRules.length > 0)
      return [403, 'access request rules are limited to 1 in the OSS version']
    if (!Array.isArray(body['reviewers_groups']) || body['reviewers_groups'].length === 0)
      return [422, 'reviewers_groups must have at least 1 entry']
    const others = this.reviewRules.filter(({ name }) => name !== body['name'])
    const taken = others.flatMap((rule) => rule['connection_names'] as string[])
    const conflict = (body['connection_names'] as string[]).find((name) => taken.includes(name))
    return conflict === undefined
      ? undefined
      : [422, `an access request rule with the same connection names already exists: ${conflict}`]
  }

  #jiraRoutes(): void {
    this.#on('GET /api/integrations/jira', () => json(200, this.jira ?? null))
    this.#on('POST /api/integrations/jira', (_, body) => {
      if (this.jira !== undefined)
        return refused(409, 'Jira integration already exists for this organization')
      this.jira = { ...body, id: randomUUID() }
      return json(201, this.jira)
    })
    this.#on('PUT /api/integrations/jira', (_, body) => {
      this.jira = { ...body }
      return json(200, this.jira)
    })
  }

  #repositoryRoutes(): void {
    const path = '/api/runbooks/configurations'
    this.#on(`GET ${path}`, () =>
      this.repositories.length === 0
        ? refused(404, 'runbook configuration not found')
        : json(200, { id: 'c', repositories: this.repositories }),
    )
    this.#on(`POST ${path}`, (_, body) => {
      const scheme = /^([a-z]+):\/\//.exec(String(body['git_url']))?.[1] ?? 'ssh'
      if (!['https', 'http', 'git', 'ssh'].includes(scheme))
        return refused(422, `invalid git url, reason=invalid scheme: ${scheme}`)
      this.repositories.push({ ssh_key: '', git_user: '', git_password: '', ...body })
      return json(201, body)
    })
    // The id that the real one has given the repository of the tests.
    this.#on(`PUT ${path}/${REPOSITORY_ID}`, (_, body) => {
      const at = this.repositories.findIndex((one) => one['git_url'] === body['git_url'])
      if (at < 0) return refused(400, 'git url in the path and body do not match')
      this.repositories[at] = body
      return json(200, body)
    })
  }

  #accessControlRoutes(): void {
    const plugin = '/api/plugins/access_control'
    this.#on(`GET ${plugin}`, () =>
      this.accessControl === undefined
        ? refused(404, 'plugin not found')
        : json(200, { name: 'access_control', connections: this.#groups() }),
    )
    this.#on('POST /api/plugins', () => {
      this.accessControl ??= new Map()
      return json(200, { name: 'access_control', connections: [] })
    })
    this.rest.on(`POST /api/connections`, this.#withGroups(this.rest.scriptOf('POST /api/connections')))
  }

  #groups(): object[] {
    return [...(this.accessControl ?? [])].map(([id, config]) => ({
      ...{ id, config },
      name: this.connections.find((one) => one['id'] === id)?.['name'],
    }))
  }

  #withGroups(create: Script): Script {
    return (received, response) => {
      create(received, response)
      const id = String(this.connections.at(-1)?.['id'])
      this.#on(`PUT /api/plugins/access_control/conn/${id}`, (_, { config }) => {
        if (this.accessControl === undefined)
          return refused(404, 'either the plugin or the connection does not exist')
        this.accessControl.set(id, config as string[])
        return json(200, { connection_id: id, config })
      })
    }
  }
}

/** Of `https://git.example.test/team/ops.git`: version 5 in the namespace of urls. */
const REPOSITORY_ID = 'edfc9205-2ab7-50d3-b8f3-ee92dbdb2127'

function refusalOf(
  { required, check }: Collection,
  body: Stored,
  isNew: boolean,
): readonly [number, string] | undefined {
  const missing = required.filter((field) => body[field] === undefined || body[field] === '')
  const texts = missing.map((field) => `Error:Field validation for '${field}' failed on the 'required' tag`)
  return missing.length > 0 ? [400, texts.join('\n')] : check?.(body, isNew)
}

function refused(status: number, message: string): Script {
  return json(status, { message })
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && /^[A-Za-z0-9._-]{3,254}$/.test(name)
}

/** A value that is sent as null stays as it was. */
function overlaid(stored: unknown, { secret }: Stored): object {
  const kept = (name: string) => (stored as Stored)[name]
  const given = Object.entries((secret ?? {}) as Stored)
  return Object.fromEntries(given.map(([name, value]) => [name, value ?? kept(name)]))
}
