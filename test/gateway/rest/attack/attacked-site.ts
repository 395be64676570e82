import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { JIRA_TOKEN, JiraServer } from '../../../support/scripted/jira.ts'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { agentKey, otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { TEMPLATE } from '../../jira/template.ts'
import type { Attack } from './requests.ts'
import { FILES, type Caller } from './targets.ts'

const SECRET = 'secret-of-a-connection-0123'
const AUDITOR = 'token-of-the-auditor-0123456'
const USER = 'token-of-the-user-0123456789'

const AUTHORIZATION: Readonly<Record<Caller, string | undefined>> = {
  admin: `Bearer ${userToken}`,
  auditor: `Bearer ${AUDITOR}`,
  reviewer: `Bearer ${otherToken}`,
  user: `Bearer ${USER}`,
  stranger: 'Bearer \xff of-nobody',
  nobody: undefined,
}

/** What must stand in no answer. */
export const SECRETS = [SECRET, JIRA_TOKEN, agentKey, userToken, otherToken, AUDITOR, USER]

// `cat` as a shell's command: whatever is sent as a script or as an argument, nothing of it is run.
const CAT = `agent: local, command: [bash, -c, cat, cat], env: { OWN_TOKEN: ${SECRET} }`

const CONNECTIONS = `
  - { name: plain, ${CAT}, runbooks: { repository: rb } }
  - { name: reviewed, ${CAT}, runbooks: { repository: rb }, review: { groups: [dba], self-approval: true } }
  - { name: ticketed, ${CAT}, runbooks: { repository: rb }, jira: t }
  - { name: both, ${CAT}, jira: t, review: { groups: [dba, admin], minimum: 1, force-groups: [admin] } }
  - { name: gone, ${CAT}, runbooks: { repository: gone } }
  - { name: away, agent: far, command: [bash, -c, cat, cat] }
  - { name: closed, ${CAT}, access: { exec: false, client-input: false, groups: [admin] } }`

const USERS = `
  - { name: auditor, token: ${AUDITOR}, groups: [auditor] }
  - { name: user, token: ${USER}, groups: [dev] }`

/** What came back. */
export interface Received {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** One gateway of everything, with an agent and a Jira. */
export class AttackedSite implements AsyncDisposable {
  readonly gateway: RunningGateway
  readonly agent: RunningAgent
  readonly #jira: JiraServer
  /** Of sessions and reviews, as answers name them. */
  readonly #ids: string[] = []

  static async start(): Promise<AttackedSite> {
    const jira = await JiraServer.start()
    const gateway = await RunningGateway.start(FILES, {
      connections: `${CONNECTIONS}\njira: ${jira.settings(`{ ${TEMPLATE} }`)}`,
      users: USERS,
      agents: '{ name: far, key: xagt-another-key-0123456789 }',
      repositories: '{ name: gone, url: ./gone, branch: main }',
      limits: '{ wait: 1s, agent-wait: 100ms, failed-sign-ins: 999 }',
    })
    const agent = await RunningAgent.start(gateway.agentUrl)
    await agent.serving()
    const site = new AttackedSite(gateway, agent, jira)
    await site.#fill()
    return site
  }

  private constructor(gateway: RunningGateway, agent: RunningAgent, jira: JiraServer) {
    this.gateway = gateway
    this.agent = agent
    this.#jira = jira
  }

  /** Sends it as it is, on a connection of its own. */
  async send({ caller, method, path, query, headers, body }: Attack): Promise<Received & { url: string }> {
    const pieces = path.map((piece) => (typeof piece === 'string' ? piece : this.#idAt(piece.known)))
    const url = pieces.join('/') + (query === '' ? '' : `?${query}`)
    const authorization = AUTHORIZATION[caller]
    const sent = {
      connection: 'close',
      // Node tells none with GET: the body would be no HTTP behind a request without one.
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      ...headers,
      ...(authorization !== undefined && { authorization }),
    }
    const received = await this.#exchange({ method, path: url, headers: sent }, body)
    this.#learn(received.text)
    return { url, ...received }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]()
    await this.gateway[Symbol.asyncDispose]()
    await this.#jira[Symbol.asyncDispose]()
  }

  /** Some of each kind, before the first request of the attack. */
  async #fill(): Promise<void> {
    // The repository's git process starts with the first read and stays: it is no leak of a test.
    await this.gateway.exec({ file_name: 'ops/plain.sh' })
    const script = (connection: string) => this.gateway.script('echo hi', { connection })
    for (const connection of ['plain', 'ticketed', 'reviewed', 'both', 'away', 'reviewed', 'reviewed'])
      this.#learn(JSON.stringify((await script(connection)).body))
    const [first] = this.#ids.slice(-1)
    await this.gateway.request('PUT', `/api/reviews/${first ?? ''}`, { status: 'APPROVED' })
  }

  #idAt(place: number): string {
    return this.#ids[this.#ids.length - 1 - (place % this.#ids.length)] ?? ''
  }

  #learn(text: string): void {
    for (const [, id = ''] of text.matchAll(/"(?:session_id|id)":"([0-9a-f-]{36})"/g))
      if (!this.#ids.includes(id)) this.#ids.push(id)
    this.#ids.splice(0, this.#ids.length - 400)
  }

  async #exchange(
    options: { readonly method: string; readonly path: string; readonly headers: Record<string, string> },
    body: string | undefined,
  ): Promise<Received> {
    const { hostname, port } = new URL(this.gateway.gateway.http)
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request({ ...options, host: hostname, port, agent: false })
      asked.once('response', resolve).on('error', reject)
      asked.end(body)
    })
    const { statusCode: status = 0, headers } = response
    const type = headers['content-type'] ?? ''
    return { status, type, text: await textOf(response, type.startsWith('text/event-stream')) }
  }
}

/** All of it, or only what is there at once: a stream goes on for as long as its session is open. */
async function textOf(response: IncomingMessage, isEndless: boolean): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of response) {
    pieces.push(piece as Buffer)
    if (isEndless) break
  }
  response.destroy()
  return Buffer.concat(pieces).toString()
}
