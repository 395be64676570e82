import { loadSync } from '@grpc/proto-loader'
import fc from 'fast-check'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Packet } from '../../src/wire/packet.ts'
import { decodePacket, encodePacket, MalformedMessage } from '../../src/wire/protobuf.ts'
import { transportService } from '../../src/wire/service.ts'

interface Method {
  readonly path: string
  readonly requestSerialize: (value: unknown) => Buffer
  readonly requestDeserialize: (bytes: Buffer) => unknown
  readonly responseSerialize: (value: unknown) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => unknown
}

/** The service as protobufjs reads it from the .proto. */
const described = loadSync(path.resolve(__dirname, '../../proto/transport.proto'), {
  keepCase: true,
  defaults: true,
  bytes: Buffer,
  objects: true,
  arrays: true,
})['protobuf.Transport'] as unknown as Record<'Connect' | 'PreConnect' | 'HealthCheck', Method>
const ours = transportService as unknown as typeof described

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const text = fc.string({ unit: 'binary', maxLength: 200 })
const packets: fc.Arbitrary<Packet> = fc.record({
  type: text,
  spec: fc.array(fc.tuple(text, bytes), { maxLength: 5 }).map((pairs) => Object.fromEntries(pairs)),
  payload: bytes,
})

describe('packets', () => {
  it('are read by protobufjs as they were written', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        expect(described.Connect.requestDeserialize(encodePacket(packet))).toEqual({
          component: '',
          ...packet,
        })
      }),
    )
  })

  it('of protobufjs are read as they were written', () => {
    fc.assert(
      fc.property(packets, text, (packet, component) => {
        expect(decodePacket(described.Connect.requestSerialize({ component, ...packet }))).toEqual(packet)
      }),
    )
  })

  it('may be as large as a message', () => {
    const packet = { type: 'T', spec: { k: Buffer.alloc(300) }, payload: Buffer.alloc(17_000_000, 'x') }
    const read = decodePacket(encodePacket(packet))
    expect([read.payload.equals(packet.payload), read.spec['k']?.length]).toEqual([true, 300])
  })

  it('leave room before them', () => {
    const packet = { type: 'T', spec: {}, payload: Buffer.from('p') }
    expect(encodePacket(packet, 5).subarray(5)).toEqual(encodePacket(packet))
  })

  it('may have a key that is a word of JavaScript', () => {
    const entry = '0a095f5f70726f746f5f5f' + '120176'
    const { spec } = decodePacket(Buffer.from(`1a0e${entry}`, 'hex'))
    expect([Object.keys(spec), Object.getPrototypeOf(spec)]).toEqual([['__proto__'], Object.prototype])
  })

  it.each([
    ['a number', '2801' + '120154'],
    ['a number of ten bytes', '28ffffffffffffffffff01' + '120154'],
    ['eight bytes', '310000000000000000' + '120154'],
    ['four bytes', '3500000000' + '120154'],
    ['a number of the field above 15', '9a060178' + '120154'],
  ])('may have fields of newer versions: %s', (_, hex) => {
    expect(decodePacket(Buffer.from(hex, 'hex')).type).toBe('T')
  })

  it.each([
    ['a text that does not end', '1202ff'],
    ['a length that does not end', '12ff'],
    ['a length above 4 GiB', '12ffffffffffffffffff7f'],
    ['a number of eleven bytes', '28ffffffffffffffffffff01'],
    ['a group', '33'],
    ['four bytes of which three came', '35000000'],
    ['an entry that does not end', '1a020a05'],
  ])('are refused with %s', (_, hex) => {
    expect(() => decodePacket(Buffer.from(hex, 'hex'))).toThrow(MalformedMessage)
  })

  it('of any bytes are read, or refused', () => {
    fc.assert(
      fc.property(bytes, (any) => {
        try {
          decodePacket(any)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage)
        }
      }),
    )
  })
})

describe('the answers of a gateway', () => {
  it('are written and read as the .proto says', () => {
    fc.assert(
      fc.property(text, text, (status, message) => {
        const answer = { status, message }
        expect(ours.PreConnect.responseDeserialize(described.PreConnect.responseSerialize(answer))).toEqual(
          answer,
        )
        expect(described.PreConnect.responseDeserialize(ours.PreConnect.responseSerialize(answer))).toEqual(
          answer,
        )
        const health = { status }
        expect(ours.HealthCheck.responseDeserialize(described.HealthCheck.responseSerialize(health))).toEqual(
          health,
        )
        expect(described.HealthCheck.responseDeserialize(ours.HealthCheck.responseSerialize(health))).toEqual(
          health,
        )
      }),
    )
  })
})

it('has the methods of the .proto at their paths', () => {
  const paths = (service: Readonly<Record<string, Method>>) =>
    Object.entries(service).map(([name, { path }]) => [name, path])
  expect(paths(ours)).toEqual(paths(described))
})
