import { RunningAgent, type AgentOptions } from '../../support/sites/running-agent.ts'
import {
  RunningGateway,
  type Answer,
  type RunningGatewayOptions,
} from '../../support/sites/running-gateway.ts'

const token = (name: string) => `token-of-${name}-0123456789`
const user = (name: string, groups: string) =>
  `\n  - { name: ${name}, token: ${token(name)}, groups: [${groups}] }`

const USERS = [
  user('ann', 'dev'),
  user('bea', 'dba'),
  user('cid', 'sre'),
  user('dan', 'dba, sre'),
  user('eve', 'boss'),
  user('fay', 'auditor'),
  user('gus', 'dev'),
  user('hal', 'skips'),
].join('')

const CONNECTIONS = `
  - { name: one, agent: local, command: [bash], env: { OWN_TOKEN: connection-secret }, review: { groups: [dba, sre], force-groups: [boss], skip-groups: [skips] } }
  - { name: both, agent: local, command: [bash], review: { groups: [dba, sre], all: true } }
  - { name: own, agent: local, command: [bash], review: { groups: [dba], self-approval: true } }
  - name: books
    agent: local
    command: [bash]
    runbooks:
      repository: rb
      review:
        - { path: 'ops/free.sh', groups: [] }
        - { path: 'ops/danger/*', groups: [sre] }
    review: { groups: [dba] }
  - name: closed
    agent: local
    command: [bash]
    access: { exec: false }
    review: { groups: [dba] }`

export type Name = 'ann' | 'bea' | 'cid' | 'dan' | 'eve' | 'fay' | 'gus' | 'hal' | 'admin'

const FILES = {
  'ops/free.sh': 'echo free',
  'ops/danger/drop.runbook.sh': '# Drop a table\necho {{ .pw | type "password" }} {{ .table }}',
  'ops/danger/deep/drop.sh': 'echo deep',
  'ops/plain.sh': 'echo plain',
  'ops/unlock.sh': '{{ .account | asenv "ACCOUNT" }}\necho "$ACCOUNT is open"',
}

/** A gateway with reviewers, and an agent. */
export class ReviewSite implements AsyncDisposable {
  readonly gateway: RunningGateway
  agent: RunningAgent

  static async start(
    more: Pick<RunningGatewayOptions, 'connections' | 'prepare' | 'agents'> = {},
  ): Promise<ReviewSite> {
    const connections = CONNECTIONS + (more.connections ?? '')
    const gateway = await RunningGateway.start(FILES, {
      ...more,
      ...{ connections, users: USERS, limits: '{ agent-wait: 300ms }' },
    })
    const agent = await RunningAgent.start(gateway.agentUrl, { redact: 'off' })
    await agent.serving()
    // The repository's git process starts with the first read and stays: it is no leak of a test.
    await gateway.exec({ file_name: 'ops/plain.sh' })
    return new ReviewSite(gateway, agent)
  }

  private constructor(gateway: RunningGateway, agent: RunningAgent) {
    this.gateway = gateway
    this.agent = agent
  }

  as(name: Name, method: string, url: string, body?: unknown): Promise<Answer> {
    const headers = name === 'admin' ? {} : { authorization: `Bearer ${token(name)}` }
    return this.gateway.request(method, url, body, headers)
  }

  async ask(script: string, connection = 'one', more: object = {}, name: Name = 'ann'): Promise<string> {
    const { body } = await this.as(name, 'POST', '/api/sessions', { connection, script, ...more })
    if (body['has_review'] !== true) throw new Error(`not reviewed: ${JSON.stringify(body)}`)
    return String(body['session_id'])
  }

  say(name: Name, sid: string, status: string, more: object = {}): Promise<Answer> {
    return this.as(name, 'PUT', `/api/reviews/${sid}`, { status, ...more })
  }

  run(name: Name, sid: string): Promise<Answer> {
    return this.as(name, 'POST', `/api/sessions/${sid}/exec`)
  }

  async session(sid: string, name: Name = 'admin'): Promise<Record<string, unknown>> {
    return (await this.as(name, 'GET', `/api/sessions/${sid}`)).body
  }

  /** Ends the agent, and starts one with other options. */
  async replaceAgent(options: AgentOptions): Promise<RunningAgent> {
    await this.agent[Symbol.asyncDispose]()
    this.agent = await RunningAgent.start(this.gateway.agentUrl, options)
    await this.agent.serving()
    return this.agent
  }

  tokenOf(name: Name): string {
    return token(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]()
    await this.gateway[Symbol.asyncDispose]()
  }
}

/** Code and text of a refusal. */
export function refusal({ status, body }: Answer): [number, unknown] {
  return [status, body['message']]
}
