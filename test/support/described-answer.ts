import * as v from 'valibot'
import { errorAnswer } from '../../src/gateway/rest/openapi.ts'
import { errorStatuses, type Operation } from '../../src/contract/contract.ts'
import type { HttpCode } from '../../src/contract/statuses.ts'
import { OPERATIONS } from '../../src/gateway/rest/resources.ts'

const ROUTES = Object.entries(OPERATIONS).map(([name, operation]) => {
  const [method = '', path = ''] = name.split(' ')
  // A parameter loses to a fixed part of the same place, as in the router.
  const fixed = path.split('/').filter((part) => !part.startsWith(':')).length
  return { method, path: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`), fixed, operation }
})

/** The operation that a request reaches; undefined when there is none. */
function operationOf(method: string, url: string): Operation | undefined {
  const [path = ''] = url.split('?')
  const found = ROUTES.filter((route) => route.method === method && route.path.test(path))
  return found.toSorted((a, b) => b.fixed - a.fixed)[0]?.operation
}

/** Codes that every route can answer, described or not: of sign-in, bodies, limits and names that are too long. */
const OF_EVERY_ROUTE: readonly HttpCode[] = [
  ...([
    'unauthenticated',
    'token-ended',
    'too-many-failed-sign-ins',
    'not-permitted',
    'foreign-page',
  ] as const),
  ...(['invalid-request', 'too-large', 'malformed-http', 'request-timeout', 'endpoint-not-found'] as const),
  ...(['too-much-at-once', 'gateway-stopped', 'history-no-room', 'internal-error'] as const),
]

/** Fails when the gateway has answered something that its own description does not have. */
export function checkDescribed(method: string, url: string, status: number, body: unknown): void {
  const operation = operationOf(method, url)
  const own = operation?.answers[status]
  const isError = operation === undefined || errorStatuses(operation).includes(status)
  if (own === undefined && !isError)
    throw new Error(`${method} ${url}: the status ${status} is not described`)
  // What each route may answer before it is its turn is no page, at routes for browsers either.
  const code = (body as { readonly code?: HttpCode } | null)?.code
  const isOfAll = status >= 400 && code !== undefined && OF_EVERY_ROUTE.includes(code)
  const result = v.safeParse(own === undefined || isOfAll ? errorAnswer : own, body)
  if (own === undefined && operation?.codes !== undefined)
    checkCode(operation.codes, `${method} ${url}`, body)
  if (result.success) return
  const faults = result.issues.map((issue) => `${v.getDotPath(issue) ?? ''}: ${issue.message}`)
  throw new Error(`${method} ${url}: the answer ${status} is not as described: ${faults.join('; ')}`)
}

function checkCode(codes: readonly string[], called: string, body: unknown): void {
  const { code } = body as { readonly code: string }
  const described: readonly string[] = [...codes, ...OF_EVERY_ROUTE]
  if (!described.includes(code)) throw new Error(`${called}: the code ${code} is not described`)
}
