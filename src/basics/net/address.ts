import { isIPv4, isIPv6 } from 'node:net'

/** What a server binds to. An IPv6 host comes without its brackets; port 0 is any free one. */
export interface Address {
  readonly host: string
  readonly port: number
}

const LOOPBACK = '127.0.0.1'
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i

/** `host:port` or `[::1]:port`; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain ?? ''
  const port = Number(digits)
  const isHost = bracketed === undefined ? isIPv4(host) || HOST_NAME.test(host) : isIPv6(host)
  return isHost && port <= 65_535 ? { host, port } : undefined
}

/** Like `parseAddress`, or a port alone, on the loopback. Not `:9100`: elsewhere that means every interface. */
export function parseListen(text: string): Address | undefined {
  const address = parseAddress(/^\d+$/.test(text) ? `${LOOPBACK}:${text}` : text)
  // Digits and dots alone are a mistyped address.
  const isWrong = address !== undefined && /^[\d.]+$/.test(address.host) && !isIPv4(address.host)
  return isWrong ? undefined : address
}

/** `host:port`, with the brackets of an IPv6 host. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** A URL by which a client reaches the address. */
export function addressUrl(scheme: 'grpc' | 'grpcs' | 'http' | 'https', address: Address): string {
  return `${scheme}://${formatAddress(address)}`
}

/** Whether only this machine can reach the host. Of names only `localhost` counts: others may mean anything. */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.')
  return host === '::1' || host.toLowerCase() === 'localhost'
}
