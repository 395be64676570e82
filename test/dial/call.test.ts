import { once } from 'node:events'
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { beforeEach, describe, expect, it } from 'vitest'
import { Call, headersOf } from '../../src/dial/call.ts'
import { Channel } from '../../src/dial/channel.ts'
import { Dial } from '../../src/dial/dial.ts'
import { FRAME_BYTES, framed, MessageReader } from '../../src/dial/frames.ts'
import { openSession } from '../../src/dial/session.ts'
import { MAX_MESSAGE_BYTES } from '../../src/wire/packet.ts'
import { own } from '../support/owned.ts'

let server: Http2Server
let address: string
let onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

/** A server of HTTP/2 that answers as a test wants: no library for gRPC could answer wrongly. */
beforeEach(async () => {
  server = createServer()
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    onStream(stream, headers)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  own({
    [Symbol.asyncDispose]: async () => {
      await once(server.close(), 'close')
    },
  })
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`
})

async function call(): Promise<Call> {
  const destination = { address, tls: undefined }
  const dial = new Dial(destination, undefined)
  const session = await openSession(await dial.connect(), destination)
  own({
    [Symbol.asyncDispose]: async () => {
      session.destroy()
      await (session.closed ? undefined : once(session, 'close'))
    },
  })
  return new Call(Promise.resolve(session), headersOf('/a/b', address, { name: 'value' }))
}

function message(text: string): Buffer {
  return framed(Buffer.concat([Buffer.alloc(FRAME_BYTES), Buffer.from(text)]))
}

async function read(call: Call): Promise<string[]> {
  const texts: string[] = []
  for await (const message of call.messages()) texts.push(String(message))
  return texts
}

/** Answers with what stands in the body, then with trailers. */
function answer(stream: ServerHttp2Stream, body: Buffer, trailers: Record<string, string>): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.end(body)
}

describe('a call', () => {
  it('sends its headers and messages, and reads answers until the status', async () => {
    const sent = new Promise<{ headers: IncomingHttpHeaders; body: Buffer }>((resolve) => {
      onStream = (stream, headers) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          resolve({ headers, body: Buffer.concat(chunks) })
          answer(stream, Buffer.concat([message('one'), message(''), message('two')]), { 'grpc-status': '0' })
        })
      }
    })
    const made = await call()
    const written = new Promise<void>((resolve) => made.write(message('question'), resolve))
    made.end()
    expect(await read(made)).toEqual(['one', '', 'two'])
    expect((await made.ended).code).toBe(0)
    await written
    const { headers, body } = await sent
    expect(headers).toMatchObject({
      ...{ ':method': 'POST', ':path': '/a/b', ':authority': address, name: 'value', te: 'trailers' },
      'content-type': 'application/grpc',
    })
    expect(body).toEqual(message('question'))
  })

  it.each([
    [{ 'grpc-status': '16', 'grpc-message': 'no%20entry' }, 16, 'no entry'],
    [{ 'grpc-status': '2', 'grpc-message': '%' }, 2, '%'],
    [{ other: 'x' }, 2, 'Received HTTP status code 200'],
  ])('ends with the status in %o', async (trailers, code, details) => {
    onStream = (stream) => answer(stream, message('first'), trailers)
    const made = await call()
    expect(await made.ended).toMatchObject({ code, details })
    await read(made)
  })

  it('ends with the status of an answer that is headers alone', async () => {
    onStream = (stream) =>
      stream.respond({ ':status': 200, 'grpc-status': '5', 'x-code': 'c' }, { endStream: true })
    const { code, trailers } = await (await call()).ended
    expect([code, trailers?.['x-code']]).toEqual([5, 'c'])
  })

  it.each([
    [404, 12],
    [503, 14],
    [418, 2],
  ])('understands a server that answers HTTP %i, with a page or without', async (httpStatus, code) => {
    for (const page of ['', '<html>no such page</html>']) {
      onStream = (stream) => {
        stream.respond({ ':status': httpStatus })
        stream.end(page)
      }
      const details = `Received HTTP status code ${httpStatus}`
      expect(await (await call()).ended).toMatchObject({ code, details })
    }
  })

  it.each([
    [0, 13, 'Received RST_STREAM with code 0 (Call ended without gRPC status)'],
    [2, 13, 'Received RST_STREAM with code 2 (Internal server error)'],
    [7, 14, 'Stream refused by server'],
    [8, 1, 'Call cancelled'],
    [11, 8, 'Bandwidth exhausted or memory limit exceeded'],
    [12, 7, 'Protocol not secure enough'],
    [3, 13, 'Received RST_STREAM with code 3'],
  ])('says why it was reset with %i', async (rst, code, details) => {
    onStream = (stream) => {
      stream.respond({ ':status': 200 })
      stream.close(rst)
    }
    expect(await (await call()).ended).toMatchObject({ code, details })
  })

  it('ends with its connection', async () => {
    onStream = (stream) => {
      stream.respond({ ':status': 200 })
      setImmediate(() => stream.session?.destroy())
    }
    expect(await (await call()).ended).toMatchObject({ code: 14 })
  })

  it.each([
    [
      'one that is too large',
      Buffer.from('0001100001', 'hex'),
      'Received message larger than max (17825793 vs 17825792)',
    ],
    ['a compressed one', Buffer.from('0100000001' + '78', 'hex'), 'Received a compressed message'],
  ])('takes no message that is %s, and gives the stream back', async (_, bytes, details) => {
    const closed = new Promise((resolve) => {
      onStream = (stream) => {
        stream.respond({ ':status': 200 })
        stream.write(bytes)
        stream.once('close', resolve)
      }
    })
    expect(await (await call()).ended).toMatchObject({ code: 8, details })
    await closed
  })

  it('sends no message that is too large', async () => {
    onStream = () => undefined
    const made = await call()
    made.write(Buffer.alloc(FRAME_BYTES + MAX_MESSAGE_BYTES + 1))
    expect(await made.ended).toMatchObject({ code: 8 })
  })

  it('reads no further while nobody reads', async () => {
    const chunk = message('x'.repeat(1000))
    let written = 0
    let stopped: () => void = () => undefined
    const waits = new Promise<void>((resolve) => (stopped = resolve))
    onStream = (stream) => {
      stream.respond({ ':status': 200 })
      const more = (): void => {
        written += 1
        if (written === 10_000) return
        // The window is full, and nothing comes to fill it.
        if (!stream.write(chunk)) setImmediate(() => stream.writableNeedDrain && stopped())
        if (stream.writableNeedDrain) stream.once('drain', more)
        else more()
      }
      more()
    }
    const made = await call()
    await waits
    const messages = made.messages()
    for (let n = 0; n < 5000; n++) await messages.next()
    made.cancel()
    expect(await made.ended).toMatchObject({ code: 1, details: 'Cancelled on client' })
    expect((await messages.next()).done).toBe(true)
  })

  it('without a connection ends at once, with the reason', async () => {
    const made = new Call(Promise.reject(new Error('no way')), {})
    made.write(message('never'))
    expect(await made.ended).toMatchObject({ code: 14, details: 'no way' })
    expect(await read(made)).toEqual([])
  })

  it('takes only printable metadata', () => {
    expect(() => headersOf('/a', address, { name: 'a\nb' })).toThrow('the metadata name')
  })
})

describe('messages', () => {
  it('are the same however their bytes are cut', () => {
    const bytes = Buffer.concat([message('one'), message(''), message('x'.repeat(20_000)), message('end')])
    const expected = ['one', '', 'x'.repeat(20_000), 'end']
    for (const size of [1, 2, 3, 5, 7, 64, 16_384, bytes.length]) {
      const reader = new MessageReader()
      const messages: string[] = []
      for (let at = 0; at < bytes.length; at += size)
        messages.push(...reader.take(bytes.subarray(at, at + size)).map(String))
      expect(messages).toEqual(expected)
    }
  })
})

describe('a channel', () => {
  it('finds a gateway behind the second address of its name', async () => {
    // The loopback has two addresses, and the server listens on one of them.
    onStream = (stream) => answer(stream, framed(Buffer.alloc(FRAME_BYTES)), { 'grpc-status': '0' })
    const port = address.slice(address.lastIndexOf(':') + 1)
    using channel = new Channel({ address: `localhost:${port}`, tls: undefined }, undefined)
    expect(await channel.healthCheck(10_000)).toBe('answered')
  })
})
