import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Issued } from '../network/certificates.ts'

/** A request as the gateway of a test got it. */
export interface Received {
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  /** Parsed, where it is JSON. */
  readonly body: unknown
}

/** Answers a request; one that does not answer leaves the caller waiting. */
export type Script = (received: Received, response: ServerResponse) => void

/** A REST interface that says what a test wants it to. Disposing it ends all connections. */
export class ScriptedRest implements AsyncDisposable {
  readonly received: Received[] = []
  readonly #server: Server
  readonly #scheme: string
  /** The part before the `?`, with its method: `GET /api/userinfo`. */
  readonly #scripts = new Map<string, Script>()

  static async start(tls?: Issued): Promise<ScriptedRest> {
    const rest = new ScriptedRest(tls)
    await new Promise<void>((resolve) => rest.#server.listen(0, '127.0.0.1', resolve))
    return rest
  }

  private constructor(tls: Issued | undefined) {
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response)
    this.#scheme = tls === undefined ? 'http' : 'https'
    this.#server =
      tls === undefined
        ? createServer(serve)
        : createTlsServer({ cert: tls.certificate, key: tls.key }, serve)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`
  }

  /** @param place method and path, `GET /api/userinfo` */
  on(place: string, script: Script): this {
    this.#scripts.set(place, script)
    return this
  }

  /** What a place does now. */
  scriptOf(place: string): Script {
    return this.#scripts.get(place) ?? json(404, { message: 'endpoint not found' })
  }

  /** The requests for a place, in order. */
  asked(place: string): Received[] {
    return this.received.filter((request) => placeOf(request) === place)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    try {
      for await (const part of request) parts.push(part as Buffer)
    } catch {
      return
    }
    const { method = '', url = '', headers } = request
    const received = { method, url, headers, body: parse(Buffer.concat(parts).toString()) }
    this.received.push(received)
    this.scriptOf(placeOf(received))(received, response)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}

/** An answer of JSON. */
export function json(status: number, body: unknown): Script {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
}

function placeOf({ method, url }: Received): string {
  return `${method} ${url.split('?')[0] ?? ''}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
