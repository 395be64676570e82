import { hostname, userInfo } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { oneLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import {
  beginDeviceSignIn,
  type DeviceSignIn,
  deviceToken,
  fetchLoginUrl,
  takeToken,
} from '../../../client/rest/gateway.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Minimum pause and maximum total time. The gateway's wishes count between these limits. */
const MIN_PAUSE_MS = 1000
const MAX_MS = 30 * 60 * 1000

/**
 * Signs in from a machine without a browser. The person uses a browser on another machine.
 * @returns the token
 * @throws Failure, ApiError
 */
export async function signInElsewhere(account: Account): Promise<string> {
  const begun = await beginDeviceSignIn(account, `${userInfo().username} on ${hostname()}`.slice(0, 200))
  const page = webLink(begun.verification_uri_complete)
  process.stderr.write(
    `open this link in any browser, and check that the page shows the code ${oneLine(begun.user_code)}:\n  ${page}\n`,
  )
  const endsAt = performance.now() + Math.min(begun.expires_in * 1000, MAX_MS)
  while (performance.now() < endsAt) {
    await pause(Math.max(MIN_PAUSE_MS, begun.interval * 1000))
    const token = await tokenIfThere(account, begun)
    if (token !== undefined) return token
  }
  throw new Failure('the sign-in was not completed in time: try again', exitCodes.refused)
}

/**
 * Returns undefined if the person has not signed in yet, or if the gateway is unreachable or busy. Then the
 * caller tries again.
 */
async function tokenIfThere(account: Account, begun: DeviceSignIn): Promise<string | undefined> {
  try {
    return await deviceToken(account, begun)
  } catch (error) {
    if (error instanceof ApiError && (error.kind === 'unreachable' || error.kind === 'busy')) return undefined
    throw error
  }
}

const BROWSER_MS = 5 * 60 * 1000

/**
 * Signs in with a browser, which the gateway redirects to a port of this process.
 * @returns the token
 * @throws Failure, ApiError
 */
export async function signInWithBrowser(account: Account): Promise<string> {
  await using door = await CallbackDoor.open()
  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const url = webLink(await fetchLoginUrl(account, door.address, challenge))
  process.stderr.write(`sign in with a browser on this machine:\n  ${url}\n`)
  openBrowser(url)
  return await takeToken(account, await door.code(), verifier)
}

/** Ignores a failure, because the link is printed as well. */
function openBrowser(url: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open'
  spawn(program, [url], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref()
}

/** A port with a secret path, to which the gateway redirects the browser. */
class CallbackDoor implements AsyncDisposable {
  readonly #path = `/${randomBytes(16).toString('hex')}`
  readonly #server = createServer((request, response) => this.#answer(request, response))
  readonly #code: Promise<string>
  #settle: (code: string | Failure) => void = () => undefined

  private constructor() {
    this.#code = new Promise((resolve, reject) => {
      this.#settle = (code) => (typeof code === 'string' ? resolve(code) : reject(code))
    })
    // This prevents an unhandled rejection: the promise may reject before any code waits for it.
    this.#code.catch(() => undefined)
  }

  static async open(): Promise<CallbackDoor> {
    const door = new CallbackDoor()
    await new Promise<void>((resolve, reject) => {
      door.#server.once('error', reject)
      door.#server.listen(0, '127.0.0.1', resolve)
    })
    return door
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#path}`
  }

  /** Waits for the code, which the gateway sends through the browser. @throws Failure */
  async code(): Promise<string> {
    const late = () =>
      this.#settle(
        new Failure('the sign-in was not completed within 5 minutes: try again', exitCodes.refused),
      )
    const timer = setTimeout(late, BROWSER_MS)
    try {
      return await this.#code
    } finally {
      clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://127.0.0.1')
    if (pathname !== this.#path) return void response.writeHead(404).end()
    const code = searchParams.get('code')
    const text =
      code === null
        ? 'You are not signed in. The command line shows the reason.'
        : 'You are signed in. You can close this page.'
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
    response.end(text, () => {
      const reason = oneLine(searchParams.get('error') ?? 'the browser was redirected without a code')
      this.#settle(code ?? new Failure(`not signed in: ${reason}`, exitCodes.refused))
    })
  }
}

/**
 * Returns the link with control characters encoded for the terminal.
 * @throws Failure for an address that would start another program than a browser
 */
function webLink(said: string): string {
  const url = URL.canParse(said) ? new URL(said) : undefined
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url.href
  throw new Failure(
    'the gateway sent an invalid address for the sign-in: it begins with neither https:// nor http://',
    exitCodes.unreachable,
  )
}
