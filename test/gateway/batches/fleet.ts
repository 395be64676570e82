import { decodeParams } from '../../../src/wire/params.ts'
import type { Packet } from '../../../src/wire/packet.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import {
  RunningGateway,
  type Answer,
  type RunningGatewayOptions,
} from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

/** What a connection does when it gets its script. `wait`: nothing, until the test says so. */
type Behaviour = { readonly code: number; readonly output?: string; readonly errors?: string } | 'wait'

interface View {
  readonly id: string
  readonly status: string
  readonly counts: Readonly<Record<string, number>>
  readonly stop: { readonly reason: string; readonly message: string } | null
  readonly runs: readonly Readonly<Record<string, unknown>>[]
  readonly [field: string]: unknown
}

/** A gateway with connections `c-1`, `c-2`, ... of one agent, which answers for all of them. */
export class Fleet implements AsyncDisposable {
  readonly gateway: RunningGateway
  readonly agent: ScriptedAgent
  /** Names in the order in which they have got their scripts. */
  readonly begun: string[] = []
  readonly #behaviour: (connection: string) => Behaviour
  readonly #connections = new Map<string, string>()
  /** Sessions that wait, by connection. */
  readonly #waiting = new Map<string, string>()

  static async start(
    size: number,
    behaviour: (connection: string) => Behaviour = () => ({ code: 0 }),
    options: RunningGatewayOptions = {},
    more: (name: string) => string = () => '',
  ): Promise<Fleet> {
    const names = Array.from({ length: size }, (_, at) => `c-${at + 1}`)
    const connections = names.map(
      (name) =>
        `\n  - { name: ${name}, agent: local, command: [bash], tags: { of: fleet }, runbooks: { repository: rb, path: ops/ }${more(name)} }`,
    )
    const gateway = await RunningGateway.start(
      { 'ops/plain.sh': '# Greet plainly\necho plain' },
      { ...options, connections: connections.join('') + (options.connections ?? '') },
    )
    const agent = await ScriptedAgent.connected(gateway.agentUrl)
    return new Fleet(gateway, agent, behaviour)
  }

  private constructor(gateway: RunningGateway, agent: ScriptedAgent, behaviour: (name: string) => Behaviour) {
    this.gateway = gateway
    this.agent = agent
    this.#behaviour = behaviour
    agent.onPacket = (packet) => this.#answer(packet)
  }

  async create(body: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    const usual = { file_name: 'ops/plain.sh', tags: { of: 'fleet' } }
    return this.gateway.request('POST', '/api/batches', { ...usual, ...body }, headers)
  }

  /** @returns its id */
  async begin(body: object = {}, headers: Record<string, string> = {}): Promise<string> {
    const answer = await this.create(body, headers)
    if (answer.status !== 201) throw new Error(JSON.stringify(answer))
    return String(answer.body['id'])
  }

  async batch(id: string): Promise<View> {
    return (await this.gateway.request('GET', `/api/batches/${id}`)).body as unknown as View
  }

  /** Once it is over. */
  async ended(id: string): Promise<View> {
    let view = await this.batch(id)
    await waitFor(async () => {
      view = await this.batch(id)
      return view.status === 'done' || view.status === 'stopped'
    })
    return view
  }

  /** Ends what a connection that waits has got. */
  async end(connection: string, code = 0): Promise<void> {
    await waitFor(() => this.#waiting.has(connection))
    this.#close(this.#waiting.get(connection) ?? '', code)
    this.#waiting.delete(connection)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]()
    await this.gateway[Symbol.asyncDispose]()
  }

  #answer({ type, spec }: Packet): void {
    const sid = String(spec['gateway.session_id'])
    if (type === 'AgentSessionOpen') {
      const { connectionName } = decodeParams(spec['agent.connection_params'] ?? Buffer.alloc(0))
      this.#connections.set(sid, connectionName)
      this.agent.send('ClientSessionOpenOK', { 'gateway.session_id': sid })
    }
    if (type === 'AgentExecWriteStdin') this.#run(sid, this.#connections.get(sid) ?? '')
  }

  #run(sid: string, connection: string): void {
    this.begun.push(connection)
    const behaviour = this.#behaviour(connection)
    if (behaviour === 'wait') return void this.#waiting.set(connection, sid)
    const { code, output, errors } = behaviour
    if (output !== undefined) this.agent.send('ClientWriteStdout', { 'gateway.session_id': sid }, output)
    if (errors !== undefined) this.agent.send('ClientWriteStderr', { 'gateway.session_id': sid }, errors)
    this.#close(sid, code)
  }

  #close(sid: string, code: number): void {
    this.agent.send('ClientSessionClose', { 'gateway.session_id': sid, 'client.exit_code': String(code) })
  }
}

export function statuses({ runs }: View): string[] {
  return runs.map(({ connection, status }) => `${String(connection)} ${String(status)}`)
}
