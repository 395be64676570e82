import type { ServerResponse } from 'node:http'
import type { Issued } from '../network/certificates.ts'
import { json, ScriptedRest, type Received, type Script } from './scripted-rest.ts'

// Jira Service Management as Atlassian's published contract has it: the four calls that a gateway makes, with the
// checks, codes and bodies of the real one.

const USER = 'gateway@example.test'
export const JIRA_TOKEN = 'ATATT-token-of-a-test-0123456789'

const DESKS = '/rest/servicedeskapi/servicedesk'
const REQUESTS = '/rest/servicedeskapi/request'

/** An issue as it is in Jira now. */
export interface StoredIssue {
  readonly key: string
  readonly fields: Readonly<Record<string, unknown>>
  status: string
}

interface Transition {
  readonly id: string
  readonly name: string
  readonly to: string
  readonly isAvailable?: boolean
}

interface RequestBody {
  readonly serviceDeskId?: string
  readonly requestTypeId?: string
  readonly requestFieldValues?: Readonly<Record<string, unknown>>
}

/** One site, with a service desk `OPS` (id 7) that knows the request type 25. */
export class JiraServer implements AsyncDisposable {
  readonly rest: ScriptedRest
  /** Keys of projects, in the order of their service desks; OPS has the id 7, and others the ids from 100. */
  projects = ['OPS']
  /** Fields of the request type. */
  readonly fields = new Set(['summary', 'description', 'customfield_1', 'customfield_2', 'customfield_3'])
  readonly issues: StoredIssue[] = []
  transitions: readonly Transition[] = [
    { id: '11', name: 'done', to: 'In Progress' },
    { id: '21', name: 'Close', to: 'Done', isAvailable: false },
    { id: '31', name: 'Resolve this issue', to: 'Done' },
  ]
  /** What an account may say. */
  readonly #authorization: string

  static async start(tls?: Issued, token = JIRA_TOKEN): Promise<JiraServer> {
    return new JiraServer(await ScriptedRest.start(tls), token)
  }

  private constructor(rest: ScriptedRest, token: string) {
    this.rest = rest
    this.#authorization = `Basic ${Buffer.from(`${USER}:${token}`).toString('base64')}`
    rest.on(`GET ${DESKS}`, this.#checked(this.#list))
    rest.on(`POST ${REQUESTS}`, this.#checked(this.#create))
  }

  get url(): string {
    return this.rest.url
  }

  /** `jira` of gateway.yaml, in YAML. @param templates those of the site, in YAML */
  settings(templates: string, more = ''): string {
    return `{ url: '${this.url}', user: ${USER}, api_token: ${JIRA_TOKEN}, ${more} templates: [${templates}] }`
  }

  /** Method and path of everything that was asked. */
  get asked(): string[] {
    return this.rest.received.map(({ method, url }) => `${method} ${url}`)
  }

  /** The bodies of the requests to create something. */
  get requests(): RequestBody[] {
    return this.rest.asked(`POST ${REQUESTS}`).map(({ body }) => body as RequestBody)
  }

  /** Answers one of the calls otherwise. */
  answers(call: 'list' | 'create', script: Script): this {
    this.rest.on(call === 'list' ? `GET ${DESKS}` : `POST ${REQUESTS}`, script)
    return this
  }

  /** What the call does by itself. */
  scriptOf(call: 'list' | 'create'): Script {
    return this.#checked(call === 'list' ? this.#list : this.#create)
  }

  /** Answers both calls about the transitions of an issue otherwise. */
  transitionsOf(key: string, script: Script | undefined): this {
    const place = `/rest/api/3/issue/${key}/transitions`
    this.rest.on(`GET ${place}`, script ?? this.#checked(this.#transitions))
    this.rest.on(`POST ${place}`, script ?? this.#checked(this.#transition))
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rest[Symbol.asyncDispose]()
  }

  #checked(script: Script): Script {
    return (received, response) => {
      const { method, headers } = received
      if (headers.authorization !== this.#authorization) return unauthorized(response)
      if (method === 'POST' && headers['content-type'] !== 'application/json')
        return json(415, { errorMessage: 'Unsupported Media Type' })(received, response)
      script(received, response)
    }
  }

  readonly #list: Script = (received, response) => {
    const { start, limit } = pageOf(received)
    const page = this.projects.slice(start, start + limit)
    const values = page.map((projectKey, at) => ({
      id: projectKey === 'OPS' ? '7' : String(100 + start + at),
      projectId: '11001',
      projectName: `Desk of ${projectKey}`,
      projectKey,
      _links: { self: `${this.url}${DESKS}/${start + at}` },
    }))
    const isLastPage = start + limit >= this.projects.length
    const answer = { _expands: [], size: values.length, start, limit, isLastPage, _links: {}, values }
    json(200, answer)(received, response)
  }

  readonly #create: Script = (received, response) => {
    const refusal = this.#refusal(received.body as RequestBody)
    if (refusal !== undefined) return json(400, { errorMessage: refusal })(received, response)
    const { requestFieldValues: fields = {} } = received.body as RequestBody
    const key = `OPS-${this.issues.length + 1}`
    this.issues.push({ key, fields, status: 'Open' })
    this.transitionsOf(key, undefined)
    this.rest.on(`GET /rest/api/3/issue/${key}`, this.#checked(this.#issue))
    json(201, this.#created(key))(received, response)
  }

  #refusal({ serviceDeskId, requestTypeId, requestFieldValues: fields }: RequestBody): string | undefined {
    if (serviceDeskId !== '7') return 'The Service Desk for the ID provided does not exist'
    if (requestTypeId !== '25') return 'The Request Type with the ID provided does not exist'
    if (fields?.['summary'] === undefined) return 'summary: you must specify a summary'
    const unknown = Object.keys(fields).find((field) => !this.fields.has(field))
    return unknown && `Field '${unknown}' cannot be set. It is not on the appropriate screen, or unknown.`
  }

  #created(key: string): object {
    return {
      issueId: '107001',
      issueKey: key,
      requestTypeId: '25',
      serviceDeskId: '7',
      createdDate: { iso8601: '2026-01-31T14:30:00+0000', epochMillis: 1_769_869_800_000 },
      currentStatus: { status: 'Open' },
      _links: {
        jiraRest: `${this.url}/rest/api/2/issue/107001`,
        web: `${this.url}/servicedesk/customer/portal/7/${key}`,
        self: `${this.url}${REQUESTS}/107001`,
        agent: this.link(key),
      },
    }
  }

  /** Where agents of the service desk find an issue. */
  link(key: string): string {
    return `${this.url}/browse/${key}?agent`
  }

  readonly #issue: Script = (received, response) => {
    const { key, status } = this.#issueOf(received)
    json(200, { id: '107001', key, fields: { status: { name: status } } })(received, response)
  }

  readonly #transitions: Script = (received, response) => {
    const { status } = this.#issueOf(received)
    const transitions = this.transitions
      .filter(({ to }) => to !== status)
      .map(({ id, name, to, isAvailable = true }) => ({
        id,
        name,
        to: { id: `1${id}`, name: to },
        isAvailable,
      }))
    json(200, { expand: 'transitions', transitions })(received, response)
  }

  readonly #transition: Script = (received, response) => {
    const { transition } = received.body as { readonly transition?: { readonly id?: string } }
    const found = this.transitions.find(({ id }) => id === transition?.id)
    if (found === undefined) {
      const errorMessages = ["It seems that you have tried to perform a workflow operation that's not valid."]
      return json(400, { errorMessages, errors: {} })(received, response)
    }
    this.#issueOf(received).status = found.to
    response.writeHead(204).end()
  }

  #issueOf({ url }: Received): StoredIssue {
    const [, key] = /\/issue\/([A-Z]+-\d+)/.exec(url) ?? []
    const issue = this.issues.find((one) => one.key === key)
    if (issue === undefined) throw new Error(`no issue in ${url}`)
    return issue
  }
}

function unauthorized(response: ServerResponse): void {
  response.writeHead(401, { 'www-authenticate': 'OAuth realm="https%3A%2F%2Fexample.test"' })
  response.end('Client must be authenticated to access this resource.')
}

function pageOf({ url }: Received): { start: number; limit: number } {
  const query = new URL(url, 'http://jira').searchParams
  return { start: Number(query.get('start') ?? 0), limit: Math.min(100, Number(query.get('limit') ?? 50)) }
}
