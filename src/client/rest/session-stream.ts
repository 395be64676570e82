import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { ApiError } from './http/api-error.ts'
import { streamBlocks, type StreamBlock } from './http/event-stream.ts'
import { askWell } from './http/json.ts'

/** Three of a gateway's signs of life. */
const PIECE_MS = 90_000

/** What comes of a session on its stream. */
export type StreamedEvent =
  /** The stream is there. */
  | { readonly kind: 'connected' }
  /** `o` is output, `e` a text about the session, `i` its input. */
  | { readonly kind: 'event'; readonly type: string; readonly time: string; readonly bytes: Buffer }
  /** So much of the output is not in the record. */
  | { readonly kind: 'incomplete'; readonly bytes: number }
  | { readonly kind: 'ended' }

/** This gateway cannot say where in a session a reader was. hoop's streams begin with what comes next. */
export class NoPlaces extends Error {
  override readonly name = 'NoPlaces'
}

const Event = v.object({ time: v.string(), type: v.string(), payload: v.string() })
const Incomplete = v.object({ missing_bytes: v.number() })

/** The stream of one session, over as many connections as it takes: each begins where the one before has ended. */
export class SessionStream {
  readonly #account: Account
  readonly #id: string
  #place: string | undefined

  constructor(account: Account, id: string) {
    this.#account = account
    this.#id = id
  }

  /** One connection. @throws ApiError, NoPlaces */
  async *connect(signal: AbortSignal): AsyncGenerator<StreamedEvent, void, undefined> {
    for await (const block of streamBlocks(await this.#open(signal))) {
      if (this.#place === undefined && block.id === undefined) throw new NoPlaces()
      const event = this.#eventOf(block)
      if (event !== undefined) yield event
      // Behind the `yield`: whoever took the event has done with it what he wanted.
      this.#place = block.id ?? this.#place
    }
  }

  async #open(signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const headers = {
      Accept: 'text/event-stream',
      ...(this.#place !== undefined && { 'Last-Event-ID': this.#place }),
    }
    const path = `/api/sessions/${encodeURIComponent(this.#id)}/stream`
    const answer = await askWell(this.#account, { method: 'GET', path, headers, pieceMs: PIECE_MS, signal })
    if (answer.contentType.startsWith('text/event-stream')) return answer.body
    answer.discard()
    throw new NoPlaces()
  }

  #eventOf({ id, name, data }: StreamBlock): StreamedEvent | undefined {
    if (data === undefined) return id === undefined ? undefined : { kind: 'connected' }
    switch (name) {
      case 'event': {
        const { payload, ...event } = read(Event, data)
        return { kind: 'event', ...event, bytes: Buffer.from(payload, 'base64') }
      }
      case 'incomplete':
        return { kind: 'incomplete', bytes: read(Incomplete, data).missing_bytes }
      case 'session_end':
        return { kind: 'ended' }
      default:
        return undefined
    }
  }
}

function read<T>(shape: v.GenericSchema<unknown, T>, data: string): T {
  const parsed = v.safeParse(shape, jsonIn(data))
  if (parsed.success) return parsed.output
  throw new ApiError('no-gateway', 'what the gateway streams is no event of a session')
}

function jsonIn(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}
