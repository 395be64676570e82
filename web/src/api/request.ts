import type { ChoicesRefusal } from '../../../src/contract/choices.ts'
import type { RetryRefusal } from '../../../src/contract/batch-requests.ts'
import { takeEarly } from './early.ts'
import { signedOut } from './person.ts'

/** An error of the gateway, or the failure to reach it, with its code for `adviceFor`. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: string
  readonly status: number
  /** Why each connection of a batch was refused. */
  readonly refusals: readonly Refusal[]
  /** What a refused retry of a batch says. */
  readonly retry: RetryRefusal
  /** Id of the session that read the list of choices. */
  readonly session: string | undefined

  constructor(
    message: string,
    code: string,
    status: number,
    refusals: readonly Refusal[] = [],
    retry: RetryRefusal = {},
    session?: string,
  ) {
    super(message)
    this.code = code
    this.status = status
    this.refusals = refusals
    this.retry = retry
    this.session = session
  }
}

export interface Refusal {
  readonly connection: string
  readonly code: string
  readonly message: string
}

/** An answer that takes longer is as good as none. */
const REACH_MS = 10_000

interface Asking {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/**
 * Proves that a request is from this page, because no other page can set this header. The gateway refuses a
 * change that has only the cookie.
 */
const OF_THE_PAGE = { 'x-runbook-page': '1' }

/** Returns the answer's JSON, or undefined for an empty answer. @throws Refused */
export async function ask<Answer>(method: string, path: string, asking: Asking = {}): Promise<Answer> {
  const response = await fetched(method, path, asking)
  const text = await response.text().catch((error: unknown) => {
    throw unreachable(error)
  })
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}

/** Returns a successful response. @throws Refused for an error */
export async function fetched(method: string, path: string, asking: Asking = {}): Promise<Response> {
  const { body, headers, signal } = asking
  const early = method === 'GET' ? takeEarly(path) : undefined
  const response =
    (early && (await early)) ??
    (await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: {
        ...OF_THE_PAGE,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    }).catch((error: unknown) => {
      throw isAbort(error) ? error : unreachable(error)
    }))
  if (response.ok) return response
  const refused = await refusal(response)
  if (refused.status === 401 && path !== '/api/page/sign-in') signedOut(refused.message)
  throw refused
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}

/** Turns any thrown error into the form that the page shows. */
export function asRefused(error: unknown): Refused {
  if (error instanceof Refused) return error
  return new Refused(error instanceof Error ? error.message : String(error), 'page-failed', 0)
}

/**
 * Returns why a file of the page could not be loaded. The browser does not tell, so the gateway is asked: either
 * it cannot be reached, or it was updated and its files have other names.
 */
export async function loadFailure(): Promise<Refused> {
  try {
    const signal = AbortSignal.timeout(REACH_MS)
    await fetch('/healthz', { cache: 'no-store', signal })
    return new Refused('A part of the page could not be loaded: the gateway was updated.', 'page-failed', 0)
  } catch {
    return new Refused('The connection to the gateway is lost.', 'unreachable', 0)
  }
}

function unreachable(error: unknown): Refused {
  const reason = error instanceof Error ? ` (${error.message})` : ''
  return new Refused(`The gateway does not answer${reason}.`, 'unreachable', 0)
}

interface ErrorBody extends RetryRefusal, ChoicesRefusal {
  readonly message?: unknown
  readonly code?: unknown
  readonly refusals?: readonly Refusal[]
}

async function refusal(response: Response): Promise<Refused> {
  const body = (await response.json().catch(() => ({}))) as ErrorBody
  const message = typeof body.message === 'string' ? body.message : `HTTP status ${response.status}`
  const code = typeof body.code === 'string' ? body.code : 'unknown'
  return new Refused(message, code, response.status, body.refusals, body, body.session_id)
}
