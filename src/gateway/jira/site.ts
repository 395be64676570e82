import type { SecureContext } from 'node:tls'
import { BrokenReply, exchange, type HttpQuestion, type Reply } from '../../basics/net/exchange.ts'
import { goHttpError } from '../../basics/net/go-errors.ts'
import { proxyTo, TunnelError } from '../../basics/net/proxy.ts'
import type { JiraSettings } from '../settings/jira.ts'

/** A page of service desks, or the transitions of an issue, have some ten KB. */
const ANSWER_BYTES = 1024 * 1024
/** How much of an answer stands in an error's text. */
const SHOWN_CHARACTERS = 1000

/** There was no whole answer. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered'
  /** Whether Jira has got the question for sure not. */
  readonly isUnsent: boolean

  constructor(message: string, isUnsent: boolean) {
    super(message)
    this.isUnsent = isUnsent
  }
}

/** The way to one site of Jira: each question on a connection of its own, no redirect followed, nothing repeated. */
export class JiraSite {
  /** Without a slash at its end. */
  readonly url: string
  readonly #settings: JiraSettings
  readonly #target: URL
  readonly #credentials: string
  #context: SecureContext | undefined

  constructor(settings: JiraSettings) {
    const { url, user, token } = settings
    this.url = url
    this.#settings = settings
    this.#target = new URL(url)
    this.#credentials = Buffer.from(`${user}:${token.reveal()}`).toString('base64')
  }

  /** @param path below the site's address, with its query @throws Unanswered */
  async ask(path: string, signal: AbortSignal, body?: object): Promise<Reply> {
    try {
      return await exchange(this.#question(path, signal, body))
    } catch (error) {
      const method = body === undefined ? 'Get' : 'Post'
      const reason = this.#reasonOf(error as Error, signal)
      throw new Unanswered(this.#withoutToken(`${method} "${this.url}${path}": ${reason}`), isUnsent(error))
    }
  }

  /** `status=404, body=...` */
  answered({ status, body }: Reply): string {
    return `status=${status}, body=${this.shown(body.toString('utf8'))}`
  }

  /** What Jira said, as it can stand in a text: in one line, cut, and without the token. */
  shown(said: string): string {
    const line = this.#withoutToken(said)
      .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
      .trim()
    if (line.length <= SHOWN_CHARACTERS) return line
    return `${line.slice(0, SHOWN_CHARACTERS).replace(/[\ud800-\udbff]$/, '')}...`
  }

  #question(path: string, signal: AbortSignal, body: object | undefined): HttpQuestion {
    const { protocol, pathname } = this.#target
    const isSecure = protocol === 'https:'
    const { host, port } = this.#address
    return {
      method: body === undefined ? 'GET' : 'POST',
      isSecure,
      host,
      port,
      path: pathname.replace(/\/+$/, '') + path,
      headers: {
        Authorization: `Basic ${this.#credentials}`,
        'Content-Type': 'application/json',
        Accept: 'application/json',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(isSecure && { tls: { context: this.#secureContext(), skipVerify: false } }),
      proxy: proxyTo(this.#settings.proxy, host, port),
      limit: ANSWER_BYTES,
      signal,
    }
  }

  get #address(): { host: string; port: number } {
    const { protocol, hostname, port } = this.#target
    const usual = protocol === 'https:' ? 443 : 80
    return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usual : Number(port) }
  }

  #secureContext(): SecureContext {
    const { createSecureContext } = process.getBuiltinModule('node:tls')
    this.#context ??= createSecureContext({ ca: [...this.#settings.authorities()] })
    return this.#context
  }

  #reasonOf(error: Error, signal: AbortSignal): string {
    if (signal.aborted) return isTimeout(signal) ? 'it took too long (jira.timeout)' : 'the gateway stops'
    if (error instanceof BrokenReply) return `status=${error.head.status}, ${error.message}`
    if (error instanceof TunnelError) return error.message
    return goHttpError(error, this.#address)
  }

  /** An answer may repeat what was sent. */
  #withoutToken(text: string): string {
    const token = this.#settings.token.reveal()
    return [token, this.#credentials].reduce((shown, secret) => shown.replaceAll(secret, '[REDACTED]'), text)
  }
}

function isTimeout({ reason }: AbortSignal): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError'
}

/** Errors of connecting, through a proxy and over TLS. */
function isUnsent(error: unknown): boolean {
  const {
    syscall,
    code = '',
    errors,
  } = error as NodeJS.ErrnoException & { readonly errors?: readonly unknown[] }
  if (errors?.[0] !== undefined) return isUnsent(errors[0])
  const isTls = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_|ERR_SSL_)/.test(code)
  return error instanceof TunnelError || syscall === 'connect' || syscall === 'getaddrinfo' || isTls
}
