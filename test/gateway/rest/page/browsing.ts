import { expect } from 'vitest'
import { checkDescribed } from '../../../support/described-answer.ts'

/** What a browser does with the page of a gateway: keeps its cookie, and says where requests come from. */
export class Browsing {
  readonly #http: string
  /** As it would be sent; undefined before the sign-in. */
  cookie: string | undefined

  /** @param http the gateway's address */
  constructor(http: string) {
    this.#http = http
  }

  static async signedIn(http: string, token: string): Promise<Browsing> {
    const browsing = new Browsing(http)
    expect((await browsing.signIn({ token })).status).toBe(200)
    return browsing
  }

  signIn(words: object): Promise<Shown> {
    return this.ask('POST', '/api/page/sign-in', words)
  }

  /** As the page's script asks; `headers` replace its own, and leave those out that are undefined. */
  async ask(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Shown> {
    const response = await this.open(method, path, body, headers)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    const read = (isJson ? JSON.parse(text) : { text }) as Record<string, unknown>
    if (isJson) checkDescribed(method, path, response.status, read)
    return { status: response.status, headers: response.headers, body: read }
  }

  /** The answer before its body. */
  async open(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Response> {
    const isRead = method === 'GET' || method === 'HEAD'
    const all = {
      ...{ connection: 'close', 'sec-fetch-site': 'same-origin', cookie: this.cookie },
      ...(!isRead && { origin: this.#http, 'x-runbook-page': '1' }),
      ...headers,
    }
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
    const asked = { method, headers: given, redirect: 'manual', body: body && JSON.stringify(body) } as const
    const response = await fetch(`${this.#http}${path}`, asked as RequestInit)
    for (const cookie of response.headers.getSetCookie()) this.cookie = cookie.split(';')[0]
    return response
  }
}

export interface Shown {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}
