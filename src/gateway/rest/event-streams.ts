import { finished, Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { within } from '../../basics/abort.ts'
import { RequestRefused } from '../refusals/request-refused.ts'

export interface StreamLimits {
  /** Streams at once. Each has a socket, and up to 1 MiB for a reader that is slow. */
  readonly streams: number
  readonly ofOneUser: number
  /** For a reader to take the next piece. He can come back and go on where he was. */
  readonly pieceMs: number
  /** For streams to say what is left when the gateway closes. */
  readonly closingMs: number
}

const STREAM_LIMITS: StreamLimits = { streams: 256, ofOneUser: 64, pieceMs: 60_000, closingMs: 1000 }

/** A comment that often, as hoop's gateway sends it: proxies in between end what is silent for a minute. */
export const KEEPALIVE_MS = 30_000
export const STREAM_KEEPALIVE = ': keepalive\n\n'

const HEADERS = {
  // `no-cache` is how streams are known to proxies, and `no-store` what is meant.
  'cache-control': 'no-cache, no-store',
  // For nginx, which would hold back what comes.
  'x-accel-buffering': 'no',
}

interface StreamReader {
  readonly user: string
  /** Its connection is. */
  readonly over: Promise<void>
  readonly end: () => void
}

/** What is streamed for as long as somebody reads it: so many readers, and none that takes nothing. */
export class EventStreams {
  readonly #what: string
  readonly #limits: StreamLimits
  readonly #type: string
  readonly #readers = new Set<StreamReader>()

  /** @param what is streamed, in the plural, for those who are refused */
  constructor(what: string, limits: StreamLimits = STREAM_LIMITS, type = 'text/event-stream') {
    this.#type = type
    this.#what = what
    this.#limits = limits
  }

  /**
   * @param source disposed when the reader has gone
   * @param pieces the text, until the signal: then what is left @throws RequestRefused 429
   */
  send<Source extends Disposable>(
    request: FastifyRequest,
    reply: FastifyReply,
    source: Source,
    pieces: (source: Source, closing: AbortSignal) => AsyncIterable<string>,
  ): FastifyReply {
    const { raw } = reply
    // Its reader may be gone while it waits for the next piece, so the wait has to end with the connection.
    const over = new AbortController()
    this.#admit(request, reply, () => over.abort(), source)
    const watched = this.#watched(pieces(source, over.signal), () => raw.destroy())
    return reply
      .headers({ ...HEADERS, 'content-type': this.#type })
      .send(Readable.from(watched, { objectMode: false }))
  }

  /** Counts the reader of an answer that is sent in other ways, until the answer has ended. @throws RequestRefused 429 */
  admit(request: FastifyRequest, reply: FastifyReply): void {
    this.checkRoom(request.user.name)
    this.#admit(request, reply, () => undefined)
  }

  #admit({ user }: FastifyRequest, { raw }: FastifyReply, end: () => void, source?: Disposable): void {
    const over = new Promise<void>((resolve) => finished(raw, () => resolve()))
    const reader = { user: user.name, over, end }
    this.#readers.add(reader)
    void over.then(() => {
      end()
      source?.[Symbol.dispose]()
      this.#readers.delete(reader)
    })
  }

  /** Ends all streams, each behind what is known; those that are not read, where they are. */
  async close(): Promise<void> {
    for (const { end } of this.#readers) end()
    await within(Promise.all([...this.#readers].map(({ over }) => over)), this.#limits.closingMs)
  }

  /** Ask before anything is opened for one more. @throws RequestRefused 429 */
  checkRoom(user: string): void {
    const { streams, ofOneUser } = this.#limits
    const own = [...this.#readers].filter((reader) => reader.user === user).length
    const refuse = (text: string) =>
      new RequestRefused('too-many-clients', `this gateway serves ${text} at once`)
    if (this.#readers.size >= streams) throw refuse(`${streams} streams of ${this.#what}`)
    if (own >= ofOneUser) throw refuse(`${ofOneUser} streams of ${this.#what} of one user`)
  }

  /** Gives up a reader who takes nothing. */
  async *#watched(
    pieces: AsyncIterable<string>,
    giveUp: () => void,
  ): AsyncGenerator<string, void, undefined> {
    for await (const piece of pieces) {
      const late = setTimeout(giveUp, this.#limits.pieceMs)
      try {
        yield piece
      } finally {
        clearTimeout(late)
      }
    }
  }
}
