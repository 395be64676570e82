import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeClientPacket,
  decodeToClient,
  encodeClientMessage,
  type ClientMessage,
} from '../../src/wire/messages/from-client.ts'
import type { Packet } from '../../src/wire/packet.ts'
import { transcript } from '../support/scripted/transcript.ts'

const packet = (type: string, spec: Record<string, string> = {}, payload = ''): Packet => ({
  type,
  spec: Object.fromEntries(Object.entries(spec).map(([key, value]) => [key, Buffer.from(value)])),
  payload: Buffer.from(payload),
})

describe('a packet of a client', () => {
  it('that opens a session carries what hoop’s command line writes: gob lists and maps', () => {
    const [recorded] = transcript('cli-exec-stdin-env-args-exit-7')
    const open = decodeClientPacket(recorded?.packet ?? packet(''))
    expect(open).toEqual({
      kind: 'open',
      input: Buffer.alloc(0),
      clientArgs: ['-s', '--', 'x', 'y'],
      clientEnvVars: new Map([['envvar:E1', 'djE=']]),
    })
    const spec = encodeClientMessage(open as Exclude<ClientMessage, { kind: 'unsupported' }>).spec
    expect(Object.keys(spec).toSorted()).toEqual(['terminal.args', 'terminal.envvars'])
  })

  it('comes out of its encoding as it went in', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
    const size = fc.integer({ min: 0, max: 65_535 })
    const message = fc.oneof(
      fc.record({ kind: fc.constant('exec' as const), stdin: bytes }),
      fc.record({ kind: fc.constant('input' as const), data: bytes }),
      fc.record({ kind: fc.constant('resize' as const), rows: size, cols: size }),
      fc.record({
        kind: fc.constant('open' as const),
        input: bytes,
        clientArgs: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }),
        clientEnvVars: fc
          .array(fc.tuple(fc.string(), fc.string()), { maxLength: 4 })
          .map((all) => new Map(all)),
      }),
      fc.record({ kind: fc.constant('keepalive' as const) }),
    )
    fc.assert(
      fc.property(message, (one) => {
        expect(decodeClientPacket(encodeClientMessage(one))).toEqual(one)
      }),
    )
  })

  it('of a type that no client has is unsupported: system packets among them', () => {
    for (const type of [
      'SysBareExecRequest',
      'GatewayFeatureFlagUpdate',
      'AgentSessionClose',
      'ClientWriteStdout',
    ])
      expect(decodeClientPacket(packet(type))).toEqual({ kind: 'unsupported', type })
  })

  it('with a size that is none is a DecodeError', () => {
    expect(() => decodeClientPacket(packet('AgentTerminalResizeTTY', {}, '1,2'))).toThrow(/rows,cols,x,y/)
  })
})

describe('a packet to a client', () => {
  it.each([
    [
      packet('ClientSessionOpenWaitingApproval', { 'gateway.session_id': 's' }, 'https://x/s'),
      { kind: 'waiting-approval', sessionId: 's', url: 'https://x/s' },
    ],
    [packet('ClientSessionOpenApproveOK'), { kind: 'approved' }],
    [packet('ClientSessionOpenAgentOffline'), { kind: 'agent-offline' }],
    [packet('ClientSessionOpenTimeout'), { kind: 'timed-out' }],
    [
      packet('ClientWriteStdout', { 'gateway.session_id': 's' }, 'x'),
      { kind: 'stdout', sid: 's', data: Buffer.from('x') },
    ],
    [packet('Newer', { 'gateway.session_id': 's' }), { kind: 'unsupported', sid: 's', type: 'Newer' }],
  ])('becomes its message', (from, message) => {
    expect(decodeToClient(from)).toEqual(message)
  })
})
