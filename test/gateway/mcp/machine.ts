import { randomUUID } from 'node:crypto'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { RunningGateway, type RunningGatewayOptions } from '../../support/sites/running-gateway.ts'

/** Runbooks of all kinds that matter to tools. */
const RUNBOOKS = {
  'ops/disk.runbook.sh':
    '# Show the free disk space\n# Of one folder.\necho "free: {{ .folder | default "/tmp" }}"\n',
  'ops/fails.runbook.sh': '# Fail with code 3\necho gone; exit 3\n',
  'ops/mark.runbook.sh':
    '# Leave a mark\necho "{{ .word | required "a word" }}" >> "{{ .file | required "a file" }}"\necho marked\n',
  'ops/drop.runbook.sh': '# Drop a table\necho dropped {{ .table | required "which" }}\n',
  'ops/asked/gone.runbook.sh': '# Restart a service\necho restarted {{ .name }}\n',
  'ops/waits.runbook.sh':
    '# Wait for a file\nwhile ! test -e "{{ .file }}"; do sleep 0.05; done; echo seen\n',
  'ops/secret.runbook.sh':
    '# Needs a password\necho {{ .password | required "a password" | type "password" }}\n',
  'ops/untitled.runbook.sh': 'echo untitled\n',
  'ops/other.runbook.sh': '# Not offered\necho other\n',
}

export const MCP = `
mcp:
  - groups: [triage]
    runbooks:
      - { path: ops/other.runbook.sh, effect: destroy }
      - { path: ops/mark.runbook.sh, effect: change }
      - { path: ops/asked/**, effect: change }
      - { path: ops/drop.runbook.sh, effect: destroy }
      - { path: ops/**, effect: read }`

const REVIEWED = `
  - { name: asked, agent: local, command: [bash, --norc, --noprofile], runbooks: { repository: rb, path: ops/ }, review: { groups: [admin] } }
  - { name: closed, agent: local, command: [bash], runbooks: { repository: rb, path: ops/ }, access: { groups: [admin] } }`

export interface ToolAnswer {
  readonly isError?: boolean
  readonly structuredContent: Record<string, unknown>
  readonly content: readonly { readonly type: string; readonly text: string }[]
}

const M = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'probe', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** A gateway with a machine that has a token for mcp, and perhaps an agent. */
export class MachineSite implements AsyncDisposable {
  readonly gateway: RunningGateway
  readonly token: string
  readonly tokenId: string
  readonly #agent: RunningAgent | undefined

  static async start(
    options: RunningGatewayOptions & {
      readonly files?: Record<string, string>
      readonly withAgent?: boolean
      readonly tokenName?: string
    } = {},
  ): Promise<MachineSite> {
    const { files = RUNBOOKS, withAgent = true, tokenName: name = 'claude', ...more } = options
    const gateway = await RunningGateway.start(files, {
      connections: REVIEWED,
      more: MCP,
      ...more,
      users: `\n  - { name: bot, kind: machine, groups: [triage], tokens: [] }${more.users ?? ''}`,
    })
    const { body } = await gateway.request('POST', '/api/tokens', { name, user: 'bot', for: 'mcp' })
    const agent = withAgent ? await RunningAgent.start(gateway.agentUrl) : undefined
    return new MachineSite(gateway, String(body['token']), String(body['id']), agent)
  }

  private constructor(
    gateway: RunningGateway,
    token: string,
    tokenId: string,
    agent: RunningAgent | undefined,
  ) {
    this.gateway = gateway
    this.token = token
    this.tokenId = tokenId
    this.#agent = agent
  }

  /** Sends a body as it is. */
  async post(body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(`${this.gateway.gateway.http}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        connection: 'close',
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...(signal !== undefined && { signal }),
    })
  }

  /** A request of 2026-07-28. */
  async rpc(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const { name } = params
    const response = await this.post(
      { jsonrpc: '2.0', id: randomUUID(), method, params: { ...params, _meta: M } },
      {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(typeof name === 'string' && { 'mcp-name': name }),
      },
    )
    return (await response.json()) as Record<string, unknown>
  }

  async tools(): Promise<readonly Record<string, unknown>[]> {
    const { result } = (await this.rpc('tools/list')) as { result: { tools: Record<string, unknown>[] } }
    return result.tools
  }

  /** The whole name of the tool of a runbook, from a part of it. */
  async named(part: string): Promise<string> {
    const found = (await this.tools()).find(({ name }) => String(name).includes(part))
    return String(found?.['name'])
  }

  /** Calls a tool, and returns what the model gets. */
  async call(part: string, given: Record<string, unknown> = {}): Promise<ToolAnswer> {
    const name = /^(wait|stop|runs|read_output|find_runbook|run_\w+)$/.test(part)
      ? part
      : await this.named(part)
    const { result, error } = await this.rpc('tools/call', { name, arguments: given })
    if (error !== undefined) throw new Error(JSON.stringify(error))
    return result as ToolAnswer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]()
    await this.gateway[Symbol.asyncDispose]()
  }
}
