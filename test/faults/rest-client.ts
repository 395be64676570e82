import { request } from 'node:http'

/** Longer than any answer may take: `limits.wait`, the wait for an agent and the longest fault between. */
const ANSWER_MS = 60_000

export interface Reply {
  readonly status: number
  readonly body: unknown
}

/** Asks one gateway, each time on a connection of its own, so that none is left open in it. */
export class RestClient {
  readonly #port: number
  readonly #token: string

  constructor(port: number, token: string) {
    this.#port = port
    this.#token = token
  }

  /** @param signal drops the connection, as a client does that is killed */
  async ask(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<Reply> {
    const { status, text } = await this.text(method, path, body, signal)
    return { status, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
  }

  text(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const options = {
      ...{ host: '127.0.0.1', port: this.#port, method, path, agent: false as const, timeout: ANSWER_MS },
      ...(signal && { signal }),
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body && { 'content-type': 'application/json' }),
      },
    }
    return new Promise((resolve, reject) => {
      const asked = request(options, (response) => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.once('error', reject)
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, text: String(Buffer.concat(pieces)) }),
        )
      })
      asked.once('timeout', () =>
        asked.destroy(new Unanswered(`${method} ${path}: no answer within ${ANSWER_MS} ms`)),
      )
      asked.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
}

/** The gateway neither answers nor ends the connection. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered'
}
