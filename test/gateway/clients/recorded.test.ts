import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/wire/packet.ts'
import { decodeParams, decodeStringList, decodeStringMap } from '../../../src/wire/params.ts'
import { clientOf } from '../../support/sites/client-site.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import { transcript } from '../../support/scripted/transcript.ts'
import { waitFor } from '../../support/wait.ts'

// What hoop's gateway sent an agent for its command line, and what this gateway sends for the same.

const sent = (name: string) => transcript(name).filter(({ from }) => from === 'gateway')
const texts = (packets: readonly Packet[]) => packets.map(({ type, payload }) => [type, String(payload)])

async function conversation(
  verb: 'exec' | 'connect',
  name: string,
  talk: (client: ReturnType<typeof clientOf>, recorded: readonly Packet[]) => void,
) {
  await using gateway = await RunningGateway.start()
  await using agent = await ScriptedAgent.connected(gateway.agentUrl)
  await using client = clientOf(gateway, verb)
  const recorded = sent(name).map(({ packet }) => packet)
  const [open] = recorded
  const args = open?.spec['terminal.args']
  const variables = open?.spec['terminal.envvars']
  client.open(verb === 'exec' ? String(recorded[1]?.payload) : '', {
    clientArgs: args === undefined ? [] : decodeStringList(args, 'terminal.args'),
    clientEnvVars: variables === undefined ? new Map() : decodeStringMap(variables, 'terminal.envvars'),
  })
  const { sid } = await agent.packet('AgentSessionOpen')
  agent.send('ClientSessionOpenOK', { 'gateway.session_id': sid, 'gateway.connection_type': 'command-line' })
  await client.packet('ClientSessionOpenOK')
  talk(client, recorded.slice(1, -1))
  await waitFor(() => agent.received.length === 2 + recorded.length - 1)
  agent.send('ClientSessionClose', { 'gateway.session_id': sid, 'client.exit_code': '3' })
  await agent.packet('AgentSessionClose')
  return { recorded, ours: agent.received.slice(2) }
}

/** Those of the request, not those of the connection and its user. */
function asked(packet: Packet | undefined) {
  const { clientArgs, clientVerb, clientOrigin, connectionType } = decodeParams(
    packet?.spec['agent.connection_params'] ?? Buffer.alloc(0),
  )
  return { clientArgs, clientVerb, clientOrigin, connectionType }
}

/** What hoop says beside the connection's parameters; Go orders and writes it in ways of its own. */
function besides(packet: Packet | undefined) {
  const { 'terminal.args': args, 'terminal.envvars': variables } = packet?.spec ?? {}
  const none = Buffer.alloc(0)
  return [decodeStringList(args ?? none, 'args'), decodeStringMap(variables ?? none, 'envvars')]
}

describe('the packets of a recorded conversation', () => {
  it('of exec come in the same order with the same content', async () => {
    const { recorded, ours } = await conversation(
      'exec',
      'cli-exec-stdin-env-args-exit-7',
      (client, packets) => {
        for (const { payload } of packets) client.send({ kind: 'exec', stdin: payload })
      },
    )
    expect(texts(ours)).toEqual(texts(recorded))
    expect(asked(ours[0])).toEqual(asked(recorded[0]))
    expect(besides(ours[0])).toEqual(besides(recorded[0]))
  })

  it('of connect come in the same order with the same content', async () => {
    const { recorded, ours } = await conversation(
      'connect',
      'cli-connect-resize-exit-3',
      (client, packets) => {
        for (const packet of packets) client.sendPacket({ ...packet, spec: {} })
      },
    )
    // Pixels are left out: nothing here draws.
    const inCharacters = texts(recorded).map(([type = '', text = '']) => [
      type,
      type === 'AgentTerminalResizeTTY' ? text.replace(/,\d+,\d+$/, ',0,0') : text,
    ])
    expect(texts(ours)).toEqual(inCharacters)
    expect(asked(ours[0])).toEqual(asked(recorded[0]))
  })
})
