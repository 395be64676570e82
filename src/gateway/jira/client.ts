import type { SecureContext } from 'node:tls'
import * as v from 'valibot'
import { patience } from '../../basics/abort.ts'
import { type Reply, BrokenReply, exchange, type HttpQuestion } from '../../basics/net/exchange.ts'
import { goHttpError } from '../../basics/net/go-errors.ts'
import { proxyTo, TunnelError } from '../../basics/net/proxy.ts'
import { basicAuthorization } from '../../basics/net/url-credentials.ts'
import { goQuote } from '../../golang/text/quote.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { JiraSettings, JiraTemplate } from '../settings/jira.ts'
import type { Current } from '../settings/settings.ts'
import type { JiraFieldValues } from './fields.ts'

// These are the shapes of answers in Atlassian's published contract. Unknown fields are ignored.

const Id = v.pipe(v.union([v.string(), v.number()]), v.transform(String))

const ServiceDesks = v.object({
  isLastPage: v.nullish(v.boolean(), true),
  values: v.array(v.object({ id: Id, projectKey: v.nullish(v.string()) })),
})

const CreatedIssue = v.object({
  // The key becomes part of an address, so its form is checked.
  issueKey: v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_]{0,200}-\d{1,20}$/)),
  _links: v.fallback(v.object({ agent: v.fallback(v.nullish(v.string()), undefined) }), {}),
})

const IssueTransitions = v.object({
  transitions: v.array(
    v.object({ id: Id, isAvailable: v.nullish(v.boolean(), false), to: v.object({ name: v.string() }) }),
  ),
})

const IssueStatus = v.object({ fields: v.object({ status: v.object({ name: v.string() }) }) })

export interface JiraIssue {
  readonly key: string
  /** Address of the issue for the staff of the service desk. */
  readonly url: string
}

/** The message has the words of hoop's gateway and never contains the token. */
export class JiraError extends Error {
  override readonly name = 'JiraError'
  /** True if Jira may have created an issue in spite of the error. Its key is unknown. */
  readonly isUnsure: boolean
  /** True if the same move would fail again. */
  readonly isLasting: boolean

  constructor(message: string, { isUnsure = false, isLasting = false } = {}) {
    super(message)
    this.isUnsure = isUnsure
    this.isLasting = isLasting
  }
}

const SERVICE_DESK = '/rest/servicedeskapi'
const PAGE = 100
/**
 * Maximum number of pages, enough for 2,000 desks. The limit also ends the loop if a site repeats its pages.
 */
const MAX_PAGES = 20
/**
 * After these statuses, a retry does not help. Other failures may pass, for example with a new token or after
 * a rate limit.
 */
const LASTING = new Set([400, 404, 405, 410, 422])

/** Calls Jira. The time limit applies to all requests of a call together. */
export class Jira {
  readonly #site: JiraSite
  readonly #timeoutMs: number

  constructor(settings: JiraSettings) {
    this.#site = new JiraSite(settings)
    this.#timeoutMs = settings.timeoutMs
  }

  get url(): string {
    return this.#site.url
  }

  /** @throws JiraError */
  async create(template: JiraTemplate, values: JiraFieldValues, over: AbortSignal): Promise<JiraIssue> {
    const signal = patience(this.#timeoutMs, over)
    const serviceDeskId = await this.#serviceDesk(template.project_key, signal)
    const request = { serviceDeskId, requestTypeId: template.request_type_id, isAdfRequest: false }
    const reply = await this.#post({ ...request, requestFieldValues: values }, signal)
    const created = contentOf(CreatedIssue, reply)
    if (created === undefined) {
      const reason = `the answer has no issueKey, ${this.#site.answered(reply)}`
      throw new JiraError(hoopWords.issueNotAsked(reason), { isUnsure: true })
    }
    const { issueKey: key, _links: links } = created
    return { key, url: webAddressIn(links.agent) ?? `${this.url}/browse/${key}` }
  }

  /** An issue that already has this status stays unchanged. @throws JiraError */
  async move(key: string, status: string, over: AbortSignal): Promise<void> {
    const signal = patience(this.#timeoutMs, over)
    const path = `/rest/api/3/issue/${encodeURIComponent(key)}`
    const { transitions } = await this.#read(IssueTransitions, `${path}/transitions`, signal)
    const found = transitions.find((one) => one.isAvailable && isSameName(one.to.name, status))
    if (found !== undefined) return this.#transition(`${path}/transitions`, found.id, signal)
    // The issue may have the status already: an earlier process may have moved the issue before a kill -9.
    const { fields } = await this.#read(IssueStatus, `${path}?fields=status`, signal)
    if (isSameName(fields.status.name, status)) return
    const names = this.#site.shown(transitions.map(({ to }) => goQuote(to.name)).join(' '))
    const text = hoopWords.transitionNotFound(goQuote(status), `issue=${key}, transition-names=[${names}]`)
    throw new JiraError(text, { isLasting: true })
  }

  async #serviceDesk(project: string, signal: AbortSignal): Promise<string> {
    let seen = 0
    for (let page = 0; page < MAX_PAGES; page++) {
      const { values, isLastPage } = await this.#serviceDesks(project, seen, signal)
      const found = values.find(({ projectKey }) => projectKey === project)
      if (found !== undefined) return found.id
      if (isLastPage || values.length === 0) throw new JiraError(hoopWords.jiraProjectNotFound(project))
      seen += values.length
    }
    const reason = `the project is not among the first ${seen} service desks`
    throw new JiraError(hoopWords.serviceDeskNotFound(project, reason))
  }

  async #serviceDesks(
    project: string,
    start: number,
    signal: AbortSignal,
  ): Promise<v.InferOutput<typeof ServiceDesks>> {
    const path = `${SERVICE_DESK}/servicedesk?limit=${PAGE}${start === 0 ? '' : `&start=${start}`}`
    const failed = (reason: string) => new JiraError(hoopWords.serviceDesksNotAsked(project, reason))
    const reply = await this.#ask(({ reason }) => failed(reason), path, signal)
    const answer = this.#site.answered(reply)
    if (reply.status !== 200) throw new JiraError(hoopWords.serviceDesksNotListed(this.url, answer))
    const desks = contentOf(ServiceDesks, reply)
    if (desks === undefined) throw failed(`the answer is not a list of service desks, ${answer}`)
    return desks
  }

  async #post(request: object, signal: AbortSignal): Promise<Reply> {
    const failed = ({ reason, isUnsent }: Unanswered) =>
      new JiraError(hoopWords.issueNotAsked(reason), { isUnsure: !isUnsent })
    const reply = await this.#ask(failed, `${SERVICE_DESK}/request`, signal, request)
    if (reply.status === 201) return reply
    const text = hoopWords.issueNotCreated(this.#site.answered(reply))
    throw new JiraError(text, { isUnsure: reply.status >= 500 })
  }

  async #read<T>(shape: v.GenericSchema<unknown, T>, path: string, signal: AbortSignal): Promise<T> {
    const reply = await this.#ask(({ reason }) => new JiraError(reason), path, signal)
    const answer = `Get "${this.url}${path}": ${this.#site.answered(reply)}`
    if (reply.status !== 200) throw new JiraError(answer, { isLasting: LASTING.has(reply.status) })
    const content = contentOf(shape, reply)
    if (content === undefined) throw new JiraError(`${answer}: unexpected form of the answer`)
    return content
  }

  async #transition(path: string, id: string, signal: AbortSignal): Promise<void> {
    const reply = await this.#ask(({ reason }) => new JiraError(reason), path, signal, { transition: { id } })
    const { status } = reply
    const answer = `Post "${this.url}${path}": ${this.#site.answered(reply)}`
    if (status !== 204) throw new JiraError(answer, { isLasting: LASTING.has(status) })
  }

  async #ask(
    failed: (unanswered: Unanswered) => JiraError,
    path: string,
    signal: AbortSignal,
    body?: object,
  ): Promise<Reply> {
    const reply = await this.#site.ask(path, signal, body)
    if ('isUnsent' in reply) throw failed(reply)
    return reply
  }
}

function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** Returns a function that gives the current Jira; undefined while the settings have no site. */
export function currentJira(settings: Current<'jira'>): () => Jira | undefined {
  let of = settings.value.jira
  let jira = of && new Jira(of)
  return () => {
    if (of !== settings.value.jira) {
      of = settings.value.jira
      jira = of && new Jira(of)
    }
    return jira
  }
}

/** Returns undefined if the answer has another shape. */
function contentOf<T>(shape: v.GenericSchema<unknown, T>, { body }: Reply): T | undefined {
  try {
    const result = v.safeParse(shape, JSON.parse(body.toString('utf8')))
    return result.success ? result.output : undefined
  } catch {
    return undefined
  }
}

/** Returns undefined if a browser would not open the address. */
function webAddressIn(text: string | null | undefined): string | undefined {
  if (!text || text.length > 2000 || !/^https?:\/\/[^\s\p{Cc}\p{Cf}]+$/iu.test(text)) return undefined
  return URL.canParse(text) ? text : undefined
}

/** Maximum bytes of an answer. A page of service desks, or the transitions of an issue, take some ten KB. */
const ANSWER_BYTES = 1024 * 1024
/** Maximum length of an answer in the text of an error. */
const SHOWN_CHARACTERS = 1000

/** The result of a request without a complete answer. */
interface Unanswered {
  readonly reason: string
  /** True if Jira has certainly not received the request. */
  readonly isUnsent: boolean
}

/**
 * Sends requests to one site. Each request uses a new connection. Redirects are not followed, and nothing is
 * retried.
 */
class JiraSite {
  /** The address has no slash at the end. */
  readonly url: string
  readonly #settings: JiraSettings
  readonly #target: URL
  readonly #authorization: string
  #context: SecureContext | undefined

  constructor(settings: JiraSettings) {
    const { url, user, token } = settings
    this.url = url
    this.#settings = settings
    this.#target = new URL(url)
    this.#authorization = basicAuthorization(`${user}:${token.reveal()}`)
  }

  /** @param path path with its query; the address of the site comes before it */
  async ask(path: string, signal: AbortSignal, body?: object): Promise<Reply | Unanswered> {
    try {
      return await exchange(this.#question(path, signal, body))
    } catch (error) {
      const method = body === undefined ? 'Get' : 'Post'
      const reason = this.#reasonOf(error as Error, signal)
      const text = this.#withoutToken(`${method} "${this.url}${path}": ${reason}`)
      return { reason: text, isUnsent: isUnsent(error) }
    }
  }

  /** Describes an answer as `status=404, body=...`. */
  answered({ status, body }: Reply): string {
    return `status=${status}, body=${this.shown(body.toString('utf8'))}`
  }

  /** Makes one line of a text from Jira. Removes the token and shortens the line. */
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
        Authorization: this.#authorization,
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
    if (signal.aborted)
      return isTimeout(signal) ? 'the request took too long (jira.timeout)' : 'the gateway is stopping'
    if (error instanceof BrokenReply) return `status=${error.head.status}, ${error.message}`
    if (error instanceof TunnelError) return error.message
    return goHttpError(error, this.#address)
  }

  /** Removes the token, because an answer may quote the request. */
  #withoutToken(text: string): string {
    const token = this.#settings.token.reveal()
    const encoded = this.#authorization.replace('Basic ', '')
    return [token, encoded].reduce((shown, secret) => shown.replaceAll(secret, '[REDACTED]'), text)
  }
}

function isTimeout({ reason }: AbortSignal): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError'
}

/**
 * Tells whether the error happened before the request was sent: at the connect, in the tunnel of a proxy or
 * in TLS.
 */
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
