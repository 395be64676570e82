import { RunningAgent, type AgentOptions } from './running-agent.ts'
import { RunningGateway } from './running-gateway.ts'
import { ScriptedClient } from '../scripted/scripted-client.ts'
import { found, waitFor } from '../wait.ts'

interface Event {
  readonly seconds: number
  readonly kind: string
  readonly text: string
}

/** What the gateway knows of a session afterwards. */
export interface Recorded {
  readonly status: string
  readonly exit_code: number | null
  readonly state: { readonly name: string; readonly text: string; readonly by: string | null }
  readonly origin: string
  readonly verb: string
  readonly user_name: string
  readonly correlation_id: string | null
  readonly truncated_bytes: number
  readonly redacted_bytes: number
  readonly script: { readonly data: string }
  readonly events: readonly Event[]
}

/** Gateway and agent in this process, both real, for command line clients. */
export class ClientSite implements AsyncDisposable {
  readonly gateway: RunningGateway
  readonly agent: RunningAgent

  static async start(agentOptions: AgentOptions = {}, connections = ''): Promise<ClientSite> {
    const gateway = await RunningGateway.start({}, { connections, limits: '{ agent-wait: 300ms }' })
    const agent = await RunningAgent.start(gateway.agentUrl, agentOptions)
    await agent.serving()
    return new ClientSite(gateway, agent)
  }

  private constructor(gateway: RunningGateway, agent: RunningAgent) {
    this.gateway = gateway
    this.agent = agent
  }

  client(verb: 'exec' | 'connect', more: Record<string, string> = {}): ScriptedClient {
    return clientOf(this.gateway, verb, more)
  }

  async kill(sid: string): Promise<number> {
    return (await this.gateway.request('POST', `/api/sessions/${sid}/kill`)).status
  }

  recorded(sid: string): Promise<Recorded> {
    return recorded(this.gateway, sid)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]()
    await this.gateway[Symbol.asyncDispose]()
  }
}

export function clientOf(
  gateway: RunningGateway,
  verb: 'exec' | 'connect',
  more: Record<string, string> = {},
): ScriptedClient {
  return new ScriptedClient(gateway.gateway.grpc, { 'connection-name': 'bash', verb, ...more })
}

/** Settles when the session is done: a client may know of its end before it is recorded. */
export async function recorded(gateway: RunningGateway, sid: string): Promise<Recorded> {
  const url = `/api/sessions/${sid}`
  await waitFor(async () => (await gateway.request('GET', url)).body['status'] === 'done')
  const { body } = await gateway.request('GET', `${url}?expand=event_stream,session_input`)
  const stream = body['event_stream'] as [number, string, string][]
  const events = stream.map(([seconds, kind, bytes]) => ({
    seconds,
    kind,
    text: Buffer.from(bytes, 'base64').toString(),
  }))
  return { ...(body as unknown as Omit<Recorded, 'events'>), events }
}

/** The events of some kinds, joined. */
export function textOf({ events }: Pick<Recorded, 'events'>, kinds: string): string {
  return events
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ text }) => text)
    .join('')
}

/** A number that a command has printed behind a word, such as its process id. */
export async function printed(client: ScriptedClient, word: string): Promise<number> {
  const text = await found(() => new RegExp(`${word}(\\d+)[\\r\\n]`).exec(client.output('stdout'))?.[1])
  return Number(text)
}
