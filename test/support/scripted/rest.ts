import type { StatementAnswer, StatementsAnswer } from '../../../src/contract/session-output.ts'
/** The body of an answer to an execution, or of an error (`message`). */
export interface Answer {
  readonly session_id: string
  readonly output: string
  readonly output_status: string
  readonly exit_code: number
  readonly truncated: boolean
  readonly message?: string
}

export interface Reply<Body = Answer> {
  readonly status: number
  readonly body: Body
}

/** A session as `GET /api/sessions/{id}` shows it. */
export interface SessionView {
  readonly status: string
  readonly exit_code: number | null
  readonly truncated_bytes: number
  readonly labels: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, unknown>>
  readonly script: { readonly data: string }
  readonly event_stream?: readonly string[]
}

/** A user of the REST interface. */
export class Rest {
  readonly #address: string
  readonly #token: string

  constructor(address: string, token: string) {
    this.#address = address
    this.#token = token
  }

  /** Runs a runbook; `body` is added to the request. */
  async runbook(connection: string, file: string, body: object = {}): Promise<Reply> {
    return this.#post(`/api/plugins/runbooks/connections/${connection}/exec`, { file_name: file, ...body })
  }

  /** Runs an ad-hoc script. */
  async script(connection: string, script: string, body: object = {}): Promise<Reply> {
    return this.#post('/api/sessions', { connection, script, ...body })
  }

  /** The session with all its output as one text in `event_stream`. */
  async session(id: string): Promise<SessionView> {
    const path = `/api/sessions/${id}?expand=event_stream,session_input&event_stream=utf8`
    return JSON.parse((await this.send('GET', path)).body) as SessionView
  }

  /** What is recorded of the newest session, as one text. */
  async lastRecord(): Promise<string> {
    const { event_stream: recorded = [] } = await this.session(await this.lastSession())
    return recorded.join('')
  }

  /** The id of the newest session. */
  async lastSession(): Promise<string> {
    const { body } = await this.send('GET', '/api/sessions?limit=1')
    const { data } = JSON.parse(body) as { readonly data: readonly { readonly id: string }[] }
    return data[0]?.id ?? ''
  }

  /** The statements of the newest session's native clients. */
  async lastStatements(): Promise<readonly StatementAnswer[]> {
    const { body } = await this.send('GET', `/api/sessions/${await this.lastSession()}/statements`)
    return (JSON.parse(body) as StatementsAnswer).statements
  }

  /** Says something about a review, by its id or that of its session. */
  async review(id: string, status: string): Promise<number> {
    return (await this.send('PUT', `/api/reviews/${id}`, JSON.stringify({ status }))).status
  }

  /** Runs what was approved. */
  async runApproved(id: string): Promise<Reply> {
    const reply = await this.send('POST', `/api/sessions/${id}/exec`)
    return { status: reply.status, body: JSON.parse(reply.body) as Answer }
  }

  async kill(id: string): Promise<number> {
    return (await this.send('POST', `/api/sessions/${id}/kill`)).status
  }

  /** Any request at all, with its answer as it came. */
  async send(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: string,
    token = this.#token,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply<string>> {
    const response = await fetch(`${this.#address}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        // A test that shares its gateway with others leaves no connection behind.
        connection: 'close',
        ...headers,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
    })
    return { status: response.status, body: await response.text() }
  }

  async #post(path: string, body: object): Promise<Reply> {
    const reply = await this.send('POST', path, JSON.stringify(body))
    return { status: reply.status, body: JSON.parse(reply.body) as Answer }
  }
}

/** Variables in the form of a request's `env_vars`: `envvar:NAME` or `filesystem:NAME` to plain text. */
export function variables(plain: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(plain).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  )
}
