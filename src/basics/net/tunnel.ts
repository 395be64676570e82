import { request, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Secret } from '../secret.ts'

/** A proxy that passes connections on to other hosts (HTTP CONNECT). */
export interface Proxy {
  /** `host:port` */
  readonly address: string
  /** `user:password`, sent to the proxy. */
  readonly credentials: Secret | undefined
}

export class TunnelError extends Error {
  override readonly name = 'TunnelError'
}

/** Afterwards the socket leads to the address, through the proxy. Ends when the socket does. @throws TunnelError */
export async function tunnel(socket: Socket, address: string, proxy: Proxy): Promise<void> {
  const { statusCode, statusMessage, head } = await connectThrough(socket, address, proxy)
  if (statusCode !== 200) throw new TunnelError(refusal(`${statusCode} ${statusMessage}`.trim(), proxy))
  if (head.length > 0) socket.unshift(head)
}

interface Answer {
  readonly statusCode: number
  readonly statusMessage: string
  readonly head: Buffer
}

function connectThrough(socket: Socket, address: string, { credentials, ...proxy }: Proxy): Promise<Answer> {
  const authorization = credentials && `Basic ${Buffer.from(credentials.reveal()).toString('base64')}`
  return new Promise((resolve, reject) => {
    const asked = request({
      method: 'CONNECT',
      path: address,
      headers: {
        Host: address,
        ...(authorization !== undefined && { 'Proxy-Authorization': authorization }),
      },
      createConnection: () => socket,
    })
    asked.once('connect', (response: IncomingMessage, _, head: Buffer) => {
      const { statusCode = 0, statusMessage = '' } = response
      resolve({ statusCode, statusMessage, head })
    })
    asked.once('error', (error) =>
      reject(new TunnelError(`the proxy ${proxy.address} gave no answer that HTTP knows: ${error.message}`)),
    )
    asked.end()
  })
}

function refusal(answer: string, { address, credentials }: Proxy): string {
  const wanted = credentials === undefined ? 'a user and a password' : 'another user or password'
  const advice = answer.startsWith('407') ? `: it wants ${wanted} in HTTPS_PROXY` : ''
  return `the proxy ${address} answered ${answer.slice(0, 100)}${advice}`
}
