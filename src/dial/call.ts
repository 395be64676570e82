import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { MAX_MESSAGE_BYTES } from '../wire/packet.ts'
import { FRAME_BYTES, FrameError, MessageReader } from './frames.ts'
import { CANCEL, type CallEnd, endOf, endOfClosed, endOfHttp, endOfTrailers, status } from './status.ts'

/** Bytes of messages that wait for their reader. With more, no further ones are read. */
const MAX_UNREAD_BYTES = 64 * 1024

interface Write {
  readonly bytes: Buffer
  readonly written: () => void
}

/** One gRPC call: messages in both directions, then a status. */
export class Call {
  /** Settles with the end, and never rejects. Messages that came before it can still be read. */
  readonly ended: Promise<CallEnd>
  /** Called with the headers of the answer. */
  onHeaders: (headers: IncomingHttpHeaders) => void = () => undefined
  readonly #reader = new MessageReader()
  readonly #unread: Buffer[] = []
  #unreadBytes = 0
  #wake: () => void = () => undefined
  /** Writes that wait for the connection. */
  #early: Write[] = []
  #isHalfClosed = false
  #session: ClientHttp2Session | undefined
  #stream: ClientHttp2Stream | undefined
  #httpStatus: number | undefined
  #error: NodeJS.ErrnoException | undefined
  #end: CallEnd | undefined
  #settle: (end: CallEnd) => void = () => undefined

  /** @param session rejects when there is no connection, with the reason as its message */
  constructor(session: Promise<ClientHttp2Session>, headers: Readonly<Record<string, string>>) {
    this.ended = new Promise((resolve) => (this.#settle = resolve))
    session.then(
      (opened) => this.#begin(opened, headers),
      (error: unknown) => this.#finish(endOf(status.unavailable, (error as Error).message)),
    )
  }

  /** Yields the messages in order, until the end. */
  async *messages(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const message = this.#unread.shift()
      if (message !== undefined) {
        this.#unreadBytes -= message.length
        yield message
      } else if (this.#end !== undefined) return
      else {
        const woken = new Promise<void>((resolve) => (this.#wake = resolve))
        if (this.#stream?.isPaused() === true) this.#stream.resume()
        await woken
      }
    }
  }

  /**
   * Writes a message, as `framed` returns it.
   * @param written called when the message has left this process; never called when the call ends before
   */
  write(bytes: Buffer, written: () => void = () => undefined): void {
    if (this.#end !== undefined) return
    if (bytes.length - FRAME_BYTES > MAX_MESSAGE_BYTES)
      this.#cancelWith(
        status.resourceExhausted,
        `Attempted to send message larger than max (${bytes.length - FRAME_BYTES} vs ${MAX_MESSAGE_BYTES})`,
      )
    else if (this.#stream === undefined) this.#early.push({ bytes, written })
    else this.#stream.write(bytes, (error) => (error ? undefined : written()))
  }

  /** Says that no further message comes from this side. */
  end(): void {
    this.#isHalfClosed = true
    if (this.#stream?.writableEnded === false) this.#stream.end()
  }

  /** Ends the call, and drops what was not read. Not to be called while Node reads HTTP/2. */
  cancel(): void {
    this.#finish(endOf(status.cancelled, 'Cancelled on client'))
    this.#drop()
    if (this.#stream?.closed === false) this.#stream.close(CANCEL)
  }

  #begin(session: ClientHttp2Session, headers: Readonly<Record<string, string>>): void {
    if (this.#end !== undefined) return
    this.#session = session
    try {
      this.#stream = session.request(headers)
    } catch (error) {
      // The gateway has said that it takes no further calls (GOAWAY), or the connection has just ended.
      return this.#finish(endOf(status.unavailable, (error as Error).message))
    }
    this.#listen(this.#stream)
    for (const { bytes, written } of this.#early.splice(0)) this.write(bytes, written)
    if (this.#isHalfClosed) this.#stream.end()
  }

  #listen(stream: ClientHttp2Stream): void {
    let trailers: CallEnd | undefined
    const trailed = (headers: IncomingHttpHeaders) => {
      const end = endOfTrailers(headers, this.#httpStatus)
      trailers = end
      if (end.code !== status.ok) this.#finish(end)
    }
    stream.on('response', (headers, flags) => {
      this.#httpStatus = headers[':status']
      if ((flags & END_STREAM) !== 0) trailed(headers)
      else this.onHeaders(headers)
    })
    stream.on('trailers', trailed)
    stream.on('data', (chunk: Buffer) => this.#take(chunk))
    stream.on('end', () => trailers && this.#finish(trailers))
    // The stream always closes after it.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_HTTP2_STREAM_ERROR') this.#error = error
    })
    // In the next tick: an error may come behind it.
    stream.on('close', () => process.nextTick(() => this.#finish(trailers ?? this.#closed(stream))))
  }

  #closed(stream: ClientHttp2Stream): CallEnd {
    const isDropped = this.#session?.destroyed === true
    return endOfClosed({
      rstCode: stream.rstCode,
      httpStatus: this.#httpStatus,
      isDropped,
      error: this.#error,
    })
  }

  #take(chunk: Buffer): void {
    if (this.#end !== undefined) return
    try {
      for (const message of this.#reader.take(chunk)) {
        this.#unread.push(message)
        this.#unreadBytes += message.length
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      // A page of a server that speaks HTTP alone is no message either.
      const { code, details } =
        this.#httpStatus === 200 || this.#httpStatus === undefined
          ? endOf(status.resourceExhausted, error.message)
          : endOfHttp(this.#httpStatus)
      return this.#cancelWith(code, details)
    }
    if (this.#unreadBytes > MAX_UNREAD_BYTES) this.#stream?.pause()
    if (this.#unread.length > 0) this.#wake()
  }

  #cancelWith(code: number, details: string): void {
    this.#finish(endOf(code, details))
    // Node may be reading HTTP/2 now.
    setImmediate(() => this.cancel())
  }

  #drop(): void {
    this.#unread.length = 0
    this.#unreadBytes = 0
  }

  /** The first end counts. */
  #finish(end: CallEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#early = []
    this.#settle(end)
    this.#wake()
    const stream = this.#stream
    if (stream === undefined || stream.destroyed) return
    // What still comes is nobody's: without a reader the stream would never close.
    stream.resume()
    if (end.trailers !== undefined && !stream.writableEnded) stream.end()
  }
}

/** The flag of a HEADERS frame after which nothing comes (RFC 9113, section 6.2). */
const END_STREAM = 1

/** The headers of a call. @throws Error for values that are not printable ASCII */
export function headersOf(
  path: string,
  authority: string,
  metadata: Readonly<Record<string, string>>,
): Record<string, string> {
  for (const [name, value] of Object.entries(metadata))
    if (!/^[ -~]*$/.test(value)) throw new Error(`the metadata ${name} contains illegal characters`)
  return {
    ...metadata,
    ':authority': authority,
    ':method': 'POST',
    ':path': path,
    'user-agent': 'runbook-agent',
    'content-type': 'application/grpc',
    te: 'trailers',
  }
}
