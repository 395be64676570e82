import { onAbort } from '../../../basics/abort.ts'
import { networkErrorCode } from '../../../basics/net/network-error.ts'
import { patience } from '../../../basics/patience.ts'
import { connect, type Socket } from 'node:net'
import { explainTls, secure, secureContext, type TlsOptions } from '../../../dial/tls.ts'
import { tunnel, TunnelError } from '../../../basics/net/tunnel.ts'
import { hostOf, portOf } from '../../../dial/address.ts'
import type { Account } from '../../account/account.ts'
import { ApiError } from './api-error.ts'

/** Time for name lookup, TCP, proxy and TLS together. The first SYN is repeated after 1, 3 and 7 s. */
const CONNECT_MS = 10_000

const REASONS: Readonly<Partial<Record<string, string>>> = {
  ECONNREFUSED: 'nobody listens there (ECONNREFUSED)',
  ENOTFOUND: 'there is no such name (ENOTFOUND)',
  EAI_AGAIN: 'the name cannot be looked up now (EAI_AGAIN)',
  ECONNRESET: 'it ended the connection (ECONNRESET)',
}

/** Through a proxy if there is one. `signal` ends attempt and connection. @throws ApiError `unreachable` */
export async function openRestSocket({ rest, tls, proxyTo }: Account, signal: AbortSignal): Promise<Socket> {
  const address = `${rest.host.includes(':') ? `[${rest.host}]` : rest.host}:${rest.port}`
  const proxy = tls === undefined ? undefined : proxyTo(address)
  const attempt = patience(CONNECT_MS, signal)
  const socket = connect({ host: hostOf(proxy?.address ?? address), port: portOf(proxy?.address ?? address) })
  const opened = connected(socket)
  using _ = onAbort(attempt, () => socket.destroy(new Error(signal.aborted ? 'aborted' : 'timeout')))
  try {
    await opened
    if (proxy !== undefined) await tunnel(socket, address, proxy)
    const led =
      tls === undefined ? socket : await secure(socket, address, tls, secureContext(tls), 'http/1.1')
    led.on('error', () => undefined)
    return led
  } catch (error) {
    socket.destroy()
    throw unreachable(
      rest.url,
      reasonOf(error as NodeJS.ErrnoException, { attempt, address, tls, via: proxy?.address }),
    )
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    // This listener stays: a socket's error without a listener would end the process.
    socket.on('error', reject)
  })
}

interface Attempt {
  readonly attempt: AbortSignal
  readonly address: string
  readonly tls: TlsOptions | undefined
  readonly via: string | undefined
}

function reasonOf(error: NodeJS.ErrnoException, { attempt, address, tls, via }: Attempt): string {
  if (attempt.aborted) return `no connection within ${CONNECT_MS / 1000} s`
  if (error instanceof TunnelError) return error.message
  const where = via === undefined ? '' : `the proxy ${via}: `
  const known = REASONS[networkErrorCode(error)]
  return (
    (tls && explainTls(error, address, tls)) ??
    `${where}${known ?? (error.message || networkErrorCode(error))}`
  )
}

function unreachable(url: string, reason: string): ApiError {
  return new ApiError('unreachable', `the gateway ${url} cannot be reached: ${reason}`)
}
