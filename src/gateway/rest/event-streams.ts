import { finished, Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { within } from '../../basics/abort.ts'
import { refused } from '../refusals/request-refused.ts'

export interface StreamLimits {
  /**
   * Most streams at the same time. Each stream has a socket, and up to 1 MiB of memory if its reader is slow.
   */
  readonly streams: number
  readonly ofOneUser: number
  /** This many of `streams` are reserved for users with fewer than `FEW` streams. */
  readonly reserved: number
  /**
   * Time for a reader to read the next piece. After this time, the reader is cut off, and can reconnect and
   * continue.
   */
  readonly pieceMs: number
  /** Time to send the remaining text when the gateway closes. */
  readonly closingMs: number
}

/**
 * Number of streams that a user usually needs. If three users have 64 streams each, 16 more users can have
 * this number.
 */
const FEW = 4

const STREAM_LIMITS: StreamLimits = {
  streams: 256,
  ofOneUser: 64,
  reserved: 64,
  pieceMs: 60_000,
  closingMs: 1000,
}

/** hoop's gateway has the same interval. Proxies end connections that are silent for a minute. */
export const KEEPALIVE_MS = 30_000
export const STREAM_KEEPALIVE = ': keepalive\n\n'

const HEADERS = {
  // Proxies recognize streams by `no-cache`. `no-store` forbids caching.
  'cache-control': 'no-cache, no-store',
  // Without this header, nginx would buffer the stream.
  'x-accel-buffering': 'no',
}

interface StreamReader {
  readonly user: string
  /** Settles when the connection is over. */
  readonly over: Promise<void>
  readonly end: () => void
}

/** Limits the number of readers, and cuts off a reader who stops reading. */
export class EventStreams {
  readonly #what: string
  readonly #limits: StreamLimits
  readonly #type: string
  readonly #readers = new Set<StreamReader>()

  /** @param what plural noun for the texts of refusals, for example `sessions` */
  constructor(what: string, limits: StreamLimits = STREAM_LIMITS, type = 'text/event-stream') {
    this.#type = type
    this.#what = what
    this.#limits = limits
  }

  /**
   * @param source disposed when the reader has gone
   * @param pieces yields the text; after the signal, yields the remaining text and ends
   * @param type media type (default: the constructor's)
   * @throws RequestRefused 429
   */
  send<Source extends Disposable>(
    request: FastifyRequest,
    reply: FastifyReply,
    source: Source,
    pieces: (source: Source, closing: AbortSignal) => AsyncIterable<string>,
    type = this.#type,
  ): FastifyReply {
    const { raw } = reply
    // The reader may leave while the stream waits for the next piece, so the wait ends with the connection.
    const over = new AbortController()
    this.#admit(request, reply, () => over.abort(), source)
    const watched = this.#watched(pieces(source, over.signal), () => raw.destroy())
    return reply
      .headers({ ...HEADERS, 'content-type': type })
      .send(Readable.from(watched, { objectMode: false }))
  }

  /** Counts the reader of an answer that is sent without `send`. @throws RequestRefused 429 */
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

  /** Ends each stream after its last known piece. Waits at most `closingMs` for slow readers. */
  async close(): Promise<void> {
    for (const { end } of this.#readers) end()
    await within(Promise.all([...this.#readers].map(({ over }) => over)), this.#limits.closingMs)
  }

  /** Call this before anything is opened for a new stream. @throws RequestRefused 429 */
  checkRoom(user: string): void {
    const { streams, ofOneUser, reserved } = this.#limits
    const own = [...this.#readers].filter((reader) => reader.user === user).length
    const { size } = this.#readers
    if (size >= streams) throw refused('too-many-clients/streams', { most: streams, what: this.#what })
    if (own >= FEW && size >= streams - reserved)
      throw refused('too-many-clients/reserved', { count: reserved, what: this.#what, few: FEW })
    if (own >= ofOneUser)
      throw refused('too-many-clients/streams-of-user', { most: ofOneUser, what: this.#what })
  }

  /** Cuts off a reader who reads nothing for `pieceMs`. */
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
