import { exchange, type HttpQuestion } from '../../../basics/net/exchange.ts'
import { proxyTo } from '../../../basics/net/proxy.ts'
import { patience } from '../../../basics/patience.ts'
import type { OidcSettings } from '../../settings/oidc.ts'

/** Documents, keys and tokens have some ten KB. */
const ANSWER_BYTES = 1024 * 1024

interface Options {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/** The library's `fetch`, by the settings' authorities and proxy. Follows no redirect. */
export function providerFetch(
  settings: Pick<OidcSettings, 'authorities' | 'proxy' | 'timeoutMs'>,
): (url: string, options: Options) => Promise<Response> {
  const { createSecureContext } = process.getBuiltinModule('node:tls')
  let context: ReturnType<typeof createSecureContext> | undefined
  const tls = () => ({
    context: (context ??= createSecureContext({ ca: [...settings.authorities()] })),
    skipVerify: false,
  })
  return async (url, options) => {
    const target = new URL(url)
    if (target.protocol !== 'https:') throw new TypeError(`the provider names an address without TLS: ${url}`)
    const { status, contentType, body } = await exchange({
      ...addressOf(target),
      ...{ isSecure: true, tls: tls() },
      method: options.method === 'POST' ? 'POST' : 'GET',
      headers: { ...options.headers },
      ...bodyOf(options),
      proxy: proxyTo(settings.proxy, target.hostname, portOf(target)),
      limit: ANSWER_BYTES,
      signal: patience(settings.timeoutMs, options.signal ?? new AbortController().signal),
    })
    return new Response(new Uint8Array(body), { status, headers: { 'content-type': contentType } })
  }
}

function addressOf(target: URL): Pick<HttpQuestion, 'host' | 'port' | 'path'> {
  const host = target.hostname.replace(/^\[|\]$/g, '')
  return { host, port: portOf(target), path: target.pathname + target.search }
}

function portOf({ port }: URL): number {
  return port === '' ? 443 : Number(port)
}

/** The library sends forms. */
function bodyOf({ body }: Options): { readonly body?: string } {
  return body instanceof URLSearchParams || typeof body === 'string' ? { body: body.toString() } : {}
}
