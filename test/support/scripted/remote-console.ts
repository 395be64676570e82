import type { ConnectionParams } from '../../../src/wire/params.ts'
import type { Packet } from '../../../src/wire/packet.ts'
import { joined } from './joined.ts'
import { openSpec } from './open.ts'
import type { ScriptedGateway } from './scripted-gateway.ts'
import { found, shown } from '../wait.ts'

/** A console on an agent, as hoop's client and gateway have one. */
export class RemoteConsole {
  readonly sid: string
  readonly #gateway: ScriptedGateway

  /** Settles when the agent has said that the session is open. Nothing is typed yet. */
  static async open(
    gateway: ScriptedGateway,
    sid: string,
    params: Partial<ConnectionParams> = {},
    clientEnvVars: Record<string, string> = {},
  ): Promise<RemoteConsole> {
    const connect = { clientVerb: 'connect', clientOrigin: 'client' }
    gateway.send('AgentSessionOpen', openSpec(sid, { ...connect, ...params }, clientEnvVars))
    await found(() => gateway.of(sid)[0])
    return new RemoteConsole(gateway, sid)
  }

  private constructor(gateway: ScriptedGateway, sid: string) {
    this.#gateway = gateway
    this.sid = sid
  }

  /** The first packet only starts the terminal. */
  begin(): void {
    this.type('\n')
  }

  type(data: string | Uint8Array): void {
    this.#gateway.send('AgentTerminalWriteStdin', { 'gateway.session_id': this.sid }, data)
  }

  /** Types all of it in joined packets: the agent takes them in one turn, without a promise between. */
  typeAtOnce(...data: readonly string[]): void {
    const spec = { 'gateway.session_id': Buffer.from(this.sid) }
    const packets = data.map((text) => ({
      type: 'AgentTerminalWriteStdin',
      spec,
      payload: Buffer.from(text),
    }))
    this.#gateway.send('RunbookJoinedPackets', {}, joined(packets))
  }

  resize(size: string): void {
    this.#gateway.send('AgentTerminalResizeTTY', { 'gateway.session_id': this.sid }, size)
  }

  /** As the gateway does at every end of a client. */
  close(): void {
    this.#gateway.send('AgentSessionClose', { 'gateway.session_id': this.sid })
  }

  get output(): Buffer {
    const shown = this.#gateway.of(this.sid).filter(({ type }) => type === 'ClientWriteStdout')
    return Buffer.concat(shown.map(({ payload }) => payload))
  }

  says(pattern: RegExp): Promise<RegExpExecArray> {
    return shown(() => this.output, pattern)
  }

  ended(): Promise<Packet> {
    return this.#gateway.closeOf(this.sid)
  }
}
