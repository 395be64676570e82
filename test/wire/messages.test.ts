import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAgentPacket, encodeAgentMessage } from '../../src/wire/messages/from-agent.ts'
import { decodeGatewayPacket, encodeGatewayMessage } from '../../src/wire/messages/from-gateway.ts'
import { decodeGuardrailsInfo, encodeGuardrailsInfo } from '../../src/wire/messages/guardrails-info.ts'
import { decodeMaskedOutput, encodeMaskedOutput } from '../../src/wire/messages/masking-info.ts'
import type { SessionId } from '../../src/wire/messages/message.ts'
import { DecodeError, type Packet } from '../../src/wire/packet.ts'
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
    ['AgentGatewayConnectOK', { 'gateway.epoch': 'of-a-newer-form' }, '', { kind: 'connected' }],
    [
      'AgentGatewayConnectOK',
      { 'gateway.epoch': '0123456789abcdef.1772359290000.fedcba9876543210' },
      '',
      {
        kind: 'connected',
        epoch: { state: '0123456789abcdef', takenOverAt: 1_772_359_290_000, id: 'fedcba9876543210' },
      },
    ],
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
      { numRuns: 500 },
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
      { kind: 'connection-end', sid, connectionId: '1' },
      { kind: 'connection-close', sid, connectionId: '1', isReset: true },
      { ...open, pausesConnections: true, halfCloses: true },
    ] as const
    for (const message of messages)
      expect(decodeGatewayPacket(encodeGatewayMessage(message))).toEqual(message)
  })
})

describe('the end of a native connection', () => {
  const ids = { 'gateway.session_id': 's1', 'client.connection_id': '1' }
  it('may be that of one direction, or a reset, and names its connection', () => {
    for (const [decode, ending, close] of [
      [decodeGatewayPacket, 'AgentConnectionEnd', 'AgentCloseTCPConnection'],
      [decodeAgentPacket, 'ClientConnectionEnd', 'ClientTCPConnectionClose'],
    ] as const) {
      const of = { sid, connectionId: '1' }
      expect(decode(packet(ending, ids))).toEqual({ ...of, kind: 'connection-end' })
      expect(decode(packet(close, { ...ids, 'tcp.reset': '1' }))).toEqual({
        ...of,
        ...{ kind: 'connection-close', isReset: true },
      })
      for (const no of [{}, { 'tcp.reset': '0' }])
        expect(decode(packet(close, { ...ids, ...no }))).toEqual({ ...of, kind: 'connection-close' })
    }
  })
})

describe('a packet of the agent', () => {
  it('comes back as it was encoded', () => {
    const messages = [
      { kind: 'keepalive' },
      { kind: 'opened', sid, connectionType: 'postgres', requestPort: '', command: 'psql -h $HOST' },
      { kind: 'opened', sid, connectionType: 'tcp', requestPort: '', command: '', halfCloses: true },
      { kind: 'connection-end', sid, connectionId: '1' },
      { kind: 'connection-close', sid, connectionId: '1', isReset: true },
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

const info = {
  ...{ ruleName: '', type: 'pattern_match', words: [], pattern: 'a+', direction: 'output' as const },
  ...{ matchedWords: ['a+'], message: 'no a' },
}

describe('client.guardrails_info', () => {
  it('has the members of hoop, without those that are empty', () => {
    expect(
      String(encodeGuardrailsInfo([info, { ...info, pattern: '', matchedWords: [], message: '' }])),
    ).toBe(
      '[{"rule_name":"","rule":{"type":"pattern_match","pattern_regex":"a+"},"direction":"output","matched_words":["a+"],"message":"no a"},{"rule_name":"","rule":{"type":"pattern_match"},"direction":"output"}]',
    )
  })

  it('is read as it was written', () => {
    const text = fc.string()
    const direction = fc.constantFrom('input' as const, 'output' as const)
    const any = fc.record({
      ...{ ruleName: text, type: text, words: fc.array(text), pattern: text, direction },
      ...{ matchedWords: fc.array(text), message: text },
    })
    fc.assert(
      fc.property(fc.array(any), (infos) => {
        expect(decodeGuardrailsInfo(encodeGuardrailsInfo(infos))).toEqual(infos)
      }),
    )
  })

  it.each(['', '{', 'null', '{}', '[null]', '[1]', '[{"rule":3,"matched_words":[null,{}]}]'])(
    'of any content is no error: %s',
    (json) => {
      expect(() => decodeGuardrailsInfo(Buffer.from(json))).not.toThrow()
    },
  )

  it('is none where there is no JSON list', () => {
    expect(
      [undefined, '', '{', '{}'].map((json) =>
        decodeGuardrailsInfo(json === undefined ? json : Buffer.from(json)),
      ),
    ).toEqual([[], [], [], []])
  })
})

const nothing = { bytes: 0, counts: new Map<string, number>(), errors: [] }

it('a failure of masking is written as Go reads it into the structure of hoop, whatever the length of its text', () => {
  // Decoded by github.com/vmihailenco/msgpack/v5 into the structure, with the same text as its error.
  const short =
    '81a56974656d739183b17472616e73666f726d65645f627974657300b67472616e73666f726d6174696f6e5f73756d6d61727990a3657272'
  const failure = (error: string) => encodeMaskedOutput({ ...nothing, errors: [error] }).toString('hex')
  expect(failure('no')).toBe(`${short}a26e6f`)
  expect(failure('x'.repeat(300))).toBe(`${short}da012c${'78'.repeat(300)}`)
})

// One of hoop's structure, written by that package: two types, one of them with an error, and a failed item.
const GO =
  '81a56974656d739283b17472616e73666f726d65645f6279746573d30000000000011170b67472616e73666f726d6174696f6e5f73756d6d6172799283a9696e666f5f74797065ad454d41494c5f41444452455353a56669656c64a0a7726573756c74739383a5636f756e74d30000000000000003a4636f6465a753554343455353a764657461696c73a083a5636f756e74d300000000000000c8a4636f6465a753554343455353a764657461696c73a083a5636f756e74d30000000000000009a4636f6465a54552524f52a764657461696c73a17883a9696e666f5f74797065ac50484f4e455f4e554d424552a56669656c64a166a7726573756c74739183a5636f756e74d3000000000000012ca4636f6465a753554343455353a764657461696c73a0a3657272c083b17472616e73666f726d65645f6279746573d30000000000000000b67472616e73666f726d6174696f6e5f73756d6d617279c0a3657272d93d6e6f20616e737765722077697468696e2066697665207365636f6e64732c20616e64206974206973206c6f6e676572207468616e203332206279746573'

it('what masking did is read as Go writes it: bytes, how often each type was replaced, errors', () => {
  expect(decodeMaskedOutput(Buffer.from(GO, 'hex'))).toEqual({
    bytes: 70_000,
    counts: new Map([
      ['EMAIL_ADDRESS', 203],
      ['PHONE_NUMBER', 300],
    ]),
    errors: ['no answer within five seconds, and it is longer than 32 bytes'],
  })
})

it('what was masked is written with SUCCESS and no error, and is read back as it was', () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 40),
      fc.array(fc.tuple(fc.stringMatching(/^[A-Z_]{1,40}$/), fc.integer({ min: 1, max: 100_000 })), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.array(fc.string({ minLength: 1, maxLength: 70_000 }), { maxLength: 2 }),
      (bytes, counts, errors) => {
        const masked = { bytes, counts: new Map(counts), errors }
        expect(decodeMaskedOutput(encodeMaskedOutput(masked))).toEqual(masked)
      },
    ),
  )
})

it('what an agent sends in its place counts as nothing, whatever it is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(600), fc.nat(255), (noise, at, byte) => {
      expect(decodeMaskedOutput(Buffer.from(noise)).bytes).toBeGreaterThanOrEqual(0)
      const broken = Buffer.from(GO, 'hex')
      broken[at % broken.length] = byte
      expect(decodeMaskedOutput(broken.subarray(0, at)).errors.length).toBeLessThan(3)
    }),
  )
  for (const value of ['', 'c0', '93', '91'.repeat(100_000), 'dfffffffff', '81a56974656d73dd7fffffff'])
    expect(decodeMaskedOutput(Buffer.from(value, 'hex'))).toEqual(nothing)
})
