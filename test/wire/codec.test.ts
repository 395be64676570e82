import { fileURLToPath } from 'node:url'
import { loadSync, type MessageTypeDefinition, type ServiceDefinition } from '@grpc/proto-loader'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePacket, decodeTexts, encodePacket, encodeTexts } from '../../src/wire/codec.ts'
import { transportService } from '../../src/wire/service.ts'

const file = fileURLToPath(new URL('../../proto/transport.proto', import.meta.url))
const published = loadSync(file, {
  keepCase: true,
  defaults: true,
  bytes: Buffer,
  arrays: true,
  objects: true,
})
const service = published['protobuf.Transport'] as ServiceDefinition

/** The codec of a message, as it stands in the .proto. */
function message(name: string) {
  const { serialize, deserialize } = published[`protobuf.${name}`] as MessageTypeDefinition<object, object>
  return { serialize, deserialize }
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data))
const packets = fc.record({
  type: fc.string({ unit: 'binary' }),
  spec: fc
    .array(fc.tuple(fc.oneof(fc.string(), fc.constant('gateway.session_id')), bytes))
    .map((entries) => Object.fromEntries(entries) as Record<string, Buffer>),
  payload: bytes,
})

describe('a packet', () => {
  const { serialize, deserialize } = message('Packet')

  it('is written so that the published definition reads it', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        // protobufjs itself cannot write such a key.
        fc.pre(!Object.hasOwn(packet.spec, '__proto__'))
        expect(deserialize(encodePacket(packet))).toEqual({ component: '', ...packet })
      }),
    )
  })

  it('is read as the published definition writes it, whatever other fields there are', () => {
    fc.assert(
      fc.property(packets, fc.string(), (packet, component) => {
        fc.pre(!Object.hasOwn(packet.spec, '__proto__'))
        expect(decodePacket(serialize({ ...packet, component }))).toEqual(packet)
      }),
    )
  })

  it('keeps a key that means something to JavaScript, and its last value', () => {
    const spec = Object.fromEntries([['__proto__', Buffer.from('data')]])
    const once = encodePacket({ type: '', spec, payload: Buffer.alloc(0) })
    const twice = Buffer.concat([
      encodePacket({ type: 'a', spec: { x: Buffer.from('1') }, payload: Buffer.from('p') }),
      once,
    ])
    const read = decodePacket(
      Buffer.concat([
        twice,
        encodePacket({ type: 'b', spec: { x: Buffer.from('2') }, payload: Buffer.alloc(0) }),
      ]),
    )
    expect(Object.getOwnPropertyNames(read.spec).toSorted()).toEqual(['__proto__', 'x'])
    expect([read.type, String(read.spec['x']), String(read.payload)]).toEqual(['b', '2', 'p'])
  })

  it('that is cut is read, or refused, as by the published definition; noise is refused at worst', () => {
    const whole = encodePacket({
      type: 'type',
      spec: { key: Buffer.from('value') },
      payload: Buffer.from('payload'),
    })
    const cuts = Array.from({ length: whole.length }, (_, length) => whole.subarray(0, length))
    const read = cuts.map((cut) => outcomeOf(() => ({ component: '', ...decodePacket(cut) })))
    expect(read).toEqual(cuts.map((cut) => outcomeOf(() => deserialize(cut))))
    expect(read).toContain('refused')
    fc.assert(
      fc.property(bytes, (noise) => {
        outcomeOf(() => decodePacket(noise))
      }),
    )
  })
})

function outcomeOf(work: () => object): object | string {
  try {
    return work()
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
    return 'refused'
  }
}

describe('a message of texts', () => {
  it.each([
    ['PreConnectResponse', ['status', 'message']],
    ['HealthCheckResponse', ['status']],
  ])('is a %s', (name, fields) => {
    const { serialize, deserialize } = message(name)
    const texts = fields.map((field) => `a ${field}, ü`)
    const value = Object.fromEntries(fields.map((field, index) => [field, texts[index]]))
    expect(deserialize(encodeTexts(...texts))).toEqual(value)
    expect(decodeTexts(serialize(value), fields.length)).toEqual(texts)
    expect(decodeTexts(Buffer.alloc(0), fields.length)).toEqual(fields.map(() => ''))
  })

  it('may have fields that are not known here', () => {
    const request = message('PreConnectRequest').serialize({ name: 'n', command: ['x'], envs: { A: 'b' } })
    expect(decodeTexts(request, 1)).toEqual(['n'])
  })
})

it('the service is the published one', () => {
  const shape = (
    methods: Readonly<Record<string, { path: string; requestStream: boolean; responseStream: boolean }>>,
  ) =>
    Object.values(methods).map(({ path, requestStream, responseStream }) => ({
      path,
      requestStream,
      responseStream,
    }))
  expect(shape(transportService)).toEqual(shape(service))
})
