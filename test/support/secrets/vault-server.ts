import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Issued } from '../network/certificates.ts'

/** What came in. */
export interface VaultRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Answers by hand, instead of the rules below. */
type Answer = (request: VaultRequest, response: ServerResponse) => void

/**
 * A Vault for tests, as HashiCorp's HTTP API describes it (kv, auth/approle, auth/kubernetes, auth/jwt): secrets by
 * path, for whoever has a token of it. `https` with a certificate.
 */
export class VaultServer implements AsyncDisposable {
  readonly requests: VaultRequest[] = []
  /** The whole answer by path below `/v1/`: `{data: {...}}`. */
  readonly secrets: Record<string, object> = {}
  readonly tokens = new Set(['root-token-0123456789'])
  /** What a login may say, by its path: `{role_id, secret_id}`. */
  readonly logins: Record<string, Readonly<Record<string, string>>> = {}
  answer: Answer | undefined
  readonly #server: Server
  readonly #scheme: 'http' | 'https'
  readonly #sockets = new Set<Socket>()

  static async start(tls?: Issued): Promise<VaultServer> {
    const vault = new VaultServer(tls)
    await new Promise<void>((resolve) => vault.#server.listen(0, '127.0.0.1', resolve))
    return vault
  }

  private constructor(tls: Issued | undefined) {
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response)
    this.#scheme = tls === undefined ? 'http' : 'https'
    this.#server =
      tls === undefined ? createHttp(serve) : createHttps({ cert: tls.certificate, key: tls.key }, serve)
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket))
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`
  }

  /** Method and path of everything that was asked. */
  get asked(): string[] {
    return this.requests.map(({ method, url }) => `${method} ${url}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const { method = '', url = '', headers } = request
    const asked = { method, url, headers, body: Buffer.concat(pieces).toString() }
    this.requests.push(asked)
    response.on('error', () => undefined)
    if (this.answer !== undefined) this.answer(asked, response)
    else if (method === 'POST') this.#login(asked, response)
    else this.#read(asked, response)
  }

  #login({ url, body }: VaultRequest, response: ServerResponse): void {
    const expected = this.logins[url.replace(/^\/v1\/auth\/|\/login$/g, '')]
    if (expected === undefined || JSON.stringify(expected) !== body)
      return json(response, 400, { errors: ['invalid role or secret ID'] })
    const client_token = `hvs.issued-${this.tokens.size}`
    this.tokens.add(client_token)
    json(response, 200, {
      auth: { client_token, policies: ['default'], lease_duration: 60, renewable: true },
    })
  }

  #read({ url, headers }: VaultRequest, response: ServerResponse): void {
    if (url === '/v1/sys/health')
      return json(response, 200, { initialized: true, sealed: false, version: '1.20.0' })
    if (!this.tokens.has(String(headers['x-vault-token'])))
      return json(response, 403, { errors: ['permission denied'] })
    if (url === '/v1/auth/token/lookup-self') return json(response, 200, { data: { ttl: 3600 } })
    const secret = this.secrets[url.replace('/v1/', '')]
    if (secret === undefined) json(response, 404, { errors: [] })
    else json(response, 200, secret)
  }
}

export function json(response: ServerResponse, status: number, body: object): void {
  raw(response, status, JSON.stringify(body))
}

/** An answer with its length. */
export function raw(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers })
  response.end(body)
}
