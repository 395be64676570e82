import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAgentPacket, encodeAgentMessage } from '../../src/wire/messages/from-agent.ts'
import { DecodeError, type Packet } from '../../src/wire/packet.ts'
import { decodeGatewayPacket, encodeGatewayMessage } from '../../src/wire/messages/from-gateway.ts'
import type { SessionId } from '../../src/wire/messages/message.ts'
import { transportService } from '../../src/wire/service.ts'
import { openSpec } from '../support/scripted/open.ts'

const sid = 's1' as SessionId
const packet = (type: string, spec: Record<string, Buffer | string> = {}, payload = ''): Packet => ({
  type,
  spec: Object.fromEntries(Object.entries(spec).map(([key, value]) => [key, Buffer.from(value)])),
  payload: Buffer.from(payload),
})
const session = { 'gateway.session_id': 's1' }

describe('a packet of the gateway', () => {
  it.each([
    ['AgentGatewayConnectOK', {}, '', { kind: 'connected' }],
    ['AgentExecWriteStdin', session, 'x', { kind: 'exec', sid, stdin: Buffer.from('x') }],
    ['AgentExecWriteStdin', session, '', { kind: 'exec', sid, stdin: Buffer.alloc(0) }],
    ['AgentTerminalWriteStdin', session, '\n', { kind: 'input', sid, data: Buffer.from('\n') }],
    ['AgentTerminalResizeTTY', session, '30,100,1600,960', { kind: 'resize', sid, rows: 30, cols: 100 }],
    ['AgentTerminalResizeTTY', session, '65537,1,0,0', { kind: 'resize', sid, rows: 1, cols: 1 }],
    ['AgentSessionClose', session, '', { kind: 'close', sid }],
    [
      'AgentMSSQLConnectionWrite',
      session,
      '',
      { kind: 'native-proxy', sid, type: 'AgentMSSQLConnectionWrite' },
    ],
    ['SysNewer', session, '', { kind: 'unsupported', sid, type: 'SysNewer' }],
    [
      ...['AgentGatewayDraining', { 'gateway.stops_at': '2026-03-01T10:01:30.000Z' }, ''],
      { kind: 'gateway-draining', stopsAt: new Date('2026-03-01T10:01:30.000Z') },
    ] as const,
    ['Unknown', {}, '', { kind: 'unsupported', sid: undefined, type: 'Unknown' }],
  ])('%s becomes its message', (type, spec, payload, message) => {
    expect(decodeGatewayPacket(packet(type, spec, payload))).toEqual(message)
  })

  it('about the stream is not taken from a session: a client can forge any type into its own', () => {
    expect(
      decodeGatewayPacket(packet('GatewayFeatureFlagUpdate', { ...session, 'feature-flags': '{}' })),
    ).toMatchObject({ kind: 'unsupported' })
    expect(decodeGatewayPacket(packet('AgentGatewayConnectOK', session))).toMatchObject({
      kind: 'unsupported',
    })
    const draining = { ...session, 'gateway.stops_at': '2026-03-01T10:01:30.000Z' }
    expect(decodeGatewayPacket(packet('AgentGatewayDraining', draining))).toMatchObject({
      kind: 'unsupported',
    })
  })

  it.each([
    ['AgentSessionOpen', session, '', 'agent.connection_params'],
    ['AgentSessionOpen', { ...session, 'agent.connection_params': 'x' }, '', 'agent.connection_params'],
    ['AgentSessionOpen', { ...openSpec('s1', {}), 'terminal.envvars': 'x' }, '', 'terminal.envvars'],
    ['AgentTerminalResizeTTY', session, '1,2,3', 'payload'],
    ['AgentTerminalResizeTTY', session, 'a,b,c,d', 'payload'],
    ['GatewayFeatureFlagUpdate', { 'feature-flags': '[' }, '', 'feature-flags'],
    ['GatewayFeatureFlagUpdate', {}, '', 'feature-flags'],
    ['AgentGatewayDraining', {}, '', 'gateway.stops_at'],
    ['AgentGatewayDraining', { 'gateway.stops_at': 'soon' }, '', 'gateway.stops_at'],
  ])('%s that is malformed is a DecodeError naming the field', (type, spec, payload, field) => {
    expect(() => decodeGatewayPacket(packet(type, spec, payload))).toThrow(
      expect.objectContaining({ name: 'DecodeError', field: expect.stringContaining(field) as string }),
    )
  })

  it('whatever it holds, is a message or a DecodeError', () => {
    const types = fc.constantFrom(
      'AgentSessionOpen',
      'AgentTerminalResizeTTY',
      'GatewayFeatureFlagUpdate',
      'AgentExecWriteStdin',
      'X',
      '',
    )
    const keys = fc.constantFrom(
      'gateway.session_id',
      'agent.connection_params',
      'terminal.envvars',
      'feature-flags',
      '__proto__',
    )
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array))
    fc.assert(
      fc.property(types, fc.dictionary(keys, bytes), bytes, (type, spec, payload) => {
        try {
          expect(decodeGatewayPacket({ type, spec, payload }).kind).toBeTypeOf('string')
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('comes back as it was encoded', () => {
    const open = decodeGatewayPacket(
      packet('AgentSessionOpen', openSpec('s1', { clientArgs: ['a'] }, { 'envvar:A': 'QQ==' })),
    )
    if (open.kind !== 'open') throw new Error('expected open')
    const messages = [
      { kind: 'connected' },
      { kind: 'feature-flags', flags: new Map([['a', true]]) },
      { kind: 'gateway-draining', stopsAt: new Date(0) },
      open,
      { kind: 'exec', sid, stdin: Buffer.from('x') },
      { kind: 'input', sid, data: Buffer.from('x') },
      { kind: 'resize', sid, rows: 3, cols: 4 },
      { kind: 'close', sid },
    ] as const
    for (const message of messages)
      expect(decodeGatewayPacket(encodeGatewayMessage(message))).toEqual(message)
  })
})

describe('a packet of the agent', () => {
  it('comes back as it was encoded', () => {
    const messages = [
      { kind: 'keepalive' },
      { kind: 'opened', sid, connectionType: 'postgres', requestPort: '', command: 'psql -h $HOST' },
      { kind: 'stdout', sid, data: Buffer.from([0xff, 0]) },
      { kind: 'stderr', sid, data: Buffer.from('e') },
      { kind: 'closed', sid, exitCode: 3, message: 'why', truncatedBytes: 12, redactedBytes: 34 },
      { kind: 'closed', sid, exitCode: 0, message: '', truncatedBytes: 0, redactedBytes: 0 },
      {
        ...({ kind: 'closed', sid, exitCode: 124, message: 'late' } as const),
        ...{ truncatedBytes: 0, redactedBytes: 0, endReason: 'timeout' },
      },
    ] as const
    for (const message of messages) expect(decodeAgentPacket(encodeAgentMessage(message))).toEqual(message)
  })

  it('has only the keys it needs: a close after a success is a code and nothing else', () => {
    const close = encodeAgentMessage({
      kind: 'closed',
      sid,
      exitCode: 0,
      message: '',
      truncatedBytes: 0,
      redactedBytes: 0,
    })
    expect([Object.keys(close.spec), close.payload.length]).toEqual([
      ['gateway.session_id', 'client.exit_code'],
      0,
    ])
  })

  it('counts up to 2^53 - 1; more is that, and what is no count is 0', () => {
    const read = (text: string) => {
      const spec = { ...session, 'client.truncated_bytes': text, 'client.redacted_bytes': text }
      return decodeAgentPacket(packet('ClientSessionClose', spec))
    }
    const largest = BigInt(Number.MAX_SAFE_INTEGER)
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), (count) => {
        const bytes = Number(count < largest ? count : largest)
        expect(read(String(count))).toMatchObject({ truncatedBytes: bytes, redactedBytes: bytes })
      }),
      { examples: [[999_999_999n], [1_000_000_000n], [largest], [largest + 1n]] },
    )
    const noCount = fc.oneof(
      fc.string().filter((text) => !/^\+?\d+$/.test(text)),
      fc.bigInt({ max: -1n }).map(String),
      fc
        .double()
        .filter((number) => !/^\d+$/.test(String(number)))
        .map(String),
    )
    fc.assert(
      fc.property(noCount, (text) => {
        expect(read(text)).toMatchObject({ truncatedBytes: 0, redactedBytes: 0 })
      }),
      { examples: [['1e9'], ['0x10'], [' 1'], ['1\n'], ['']] },
    )
  })

  it('is encoded with a count that its reader takes', () => {
    const closed = { kind: 'closed', sid, exitCode: 0, message: '' } as const
    for (const bytes of [3_221_225_472, Number.MAX_SAFE_INTEGER, 1e21]) {
      const counted = { truncatedBytes: bytes, redactedBytes: bytes }
      const most = Math.min(bytes, Number.MAX_SAFE_INTEGER)
      expect(decodeAgentPacket(encodeAgentMessage({ ...closed, ...counted }))).toMatchObject({
        truncatedBytes: most,
        redactedBytes: most,
      })
    }
  })

  it('never throws at the gateway, whatever an agent sends', () => {
    expect(
      decodeAgentPacket(
        packet('ClientSessionClose', {
          ...session,
          'client.exit_code': 'x',
          'client.truncated_bytes': '-',
          'client.redacted_bytes': '-1',
          'client.end_reason': 'two words',
        }),
      ),
    ).toEqual({
      kind: 'closed',
      sid,
      exitCode: undefined,
      message: '',
      truncatedBytes: 0,
      redactedBytes: 0,
    })
    expect(decodeAgentPacket(packet('ClientWriteStdout'))).toEqual({
      kind: 'unsupported',
      sid: undefined,
      type: 'ClientWriteStdout',
    })
  })
})

describe('the service', () => {
  const { requestSerialize, requestDeserialize } = transportService['Connect'] as unknown as {
    requestSerialize: (value: unknown) => Buffer
    requestDeserialize: (bytes: Buffer) => Packet
  }

  it('writes a packet as protobuf: type is field 2, spec 3, payload 4', () => {
    const bytes = requestSerialize(packet('T', { k: 'v' }, 'p'))
    expect(bytes.toString('hex')).toBe('120154' + '1a06' + '0a016b' + '120176' + '220170')
  })

  it('reads packets with absent fields and with fields of newer versions', () => {
    expect(requestDeserialize(Buffer.from('120154', 'hex'))).toMatchObject({
      type: 'T',
      spec: {},
      payload: Buffer.alloc(0),
    })
    expect(requestDeserialize(Buffer.from('120154' + '9a060178', 'hex'))).toMatchObject({ type: 'T' })
  })

  it('is called protobuf.Transport', () => {
    expect(Object.values(transportService).map(({ path }) => path)).toEqual([
      '/protobuf.Transport/PreConnect',
      '/protobuf.Transport/Connect',
      '/protobuf.Transport/HealthCheck',
    ])
  })
})
