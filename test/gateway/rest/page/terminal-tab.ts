import { WebSocket } from 'ws'
import { waitFor } from '../../../support/wait.ts'

interface Said {
  readonly type: string
  readonly session_id?: string
  readonly exit_code?: number | null
  readonly code?: string | null
  readonly message?: string
  readonly bytes?: number
}

const MOST_KEPT = 100_000

/** The socket of a tab with a terminal. */
export class TerminalTab implements Disposable {
  readonly socket: WebSocket
  /** What the terminal has shown last. */
  shown = ''
  shownBytes = 0
  /** Whether it says that its screen has taken what it was sent. */
  takes = true
  readonly said: Said[] = []
  /** Of the answer to the upgrade, where it was none. */
  refused: number | undefined
  /** With which code its socket was closed. */
  code: number | undefined
  #isClosed = false

  constructor(http: string, path: string, headers: Readonly<Record<string, string>>) {
    const url = `${http.replace('http', 'ws')}/api/connections/${path}`
    this.socket = new WebSocket(url, { headers })
    this.socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#show(data)
      if (isBinary && this.takes) this.take(data.length)
      if (!isBinary) this.said.push(JSON.parse(data.toString()) as Said)
    })
    this.socket.on('unexpected-response', (request, { statusCode }) => {
      this.refused = statusCode
      this.#isClosed = true
      request.destroy()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', (code) => {
      this.code = code
      this.#isClosed = true
    })
  }

  /** @param by cookie or header; the page's origin is added */
  static of(http: string, connection: string, by: Readonly<Record<string, string>>): TerminalTab {
    return new TerminalTab(http, `${connection}/terminal`, { origin: http, ...by })
  }

  /** As a tab that was loaded again asks for the terminal that it had. */
  static again(
    http: string,
    [connection, session]: readonly [string, string],
    by: Readonly<Record<string, string>>,
  ): TerminalTab {
    return new TerminalTab(http, `${connection}/terminal?session=${session}`, { origin: http, ...by })
  }

  type(keys: string | Buffer): void {
    this.socket.send(Buffer.from(keys), { binary: true })
  }

  resize(rows: number, cols: number): void {
    this.socket.send(JSON.stringify({ type: 'resize', rows, cols }))
  }

  take(bytes: number): void {
    this.socket.send(JSON.stringify({ type: 'taken', bytes }))
  }

  async hears(type: string): Promise<Said> {
    await waitFor(() => this.said.some((one) => one.type === type) || this.#isClosed)
    const found = this.said.find((one) => one.type === type)
    if (found === undefined) throw new Error(`closed before ${type}: ${JSON.stringify(this.said)}`)
    return found
  }

  async shows(text: string): Promise<void> {
    await waitFor(() => this.shown.includes(text))
  }

  async closed(): Promise<void> {
    await waitFor(() => this.#isClosed)
  }

  #show(bytes: Buffer): void {
    this.shownBytes += bytes.length
    this.shown = (this.shown + bytes.toString('latin1')).slice(-MOST_KEPT)
  }

  /** Is gone without a word, as a tab that is loaded again. */
  vanish(): void {
    this.socket.terminate()
  }

  [Symbol.dispose](): void {
    this.socket.close()
  }
}
