import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'

/** Parses a network like `10.0.0.0/8`. */
export function networkOf(entry: string): BlockList | undefined {
  const [, address = '', prefix = ''] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? []
  const version = isIP(address)
  if (version === 0 || Number(prefix) > (version === 4 ? 32 : 128)) return undefined
  const network = new BlockList()
  network.addSubnet(address, Number(prefix), version === 4 ? 'ipv4' : 'ipv6')
  return network
}

/** IPv4 written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4. */
export function inNetwork(host: string, network: BlockList): boolean {
  const version = isIP(host)
  return version !== 0 && network.check(host, version === 4 ? 'ipv4' : 'ipv6')
}

/** An IPv6 host has no brackets here. Port 0 means any free port. */
export interface Address {
  readonly host: string
  readonly port: number
}

const LOOPBACK = '127.0.0.1'
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i

/** Parses `host:port` or `[::1]:port`. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain ?? ''
  const port = Number(digits)
  const isHost = bracketed === undefined ? isIPv4(host) || HOST_NAME.test(host) : isIPv6(host)
  return isHost && port <= 65_535 ? { host, port } : undefined
}

/**
 * A port without a host means the loopback. Refuses `:9100`, because it means all interfaces in other
 * programs.
 */
export function parseListen(text: string): Address | undefined {
  const address = parseAddress(/^\d+$/.test(text) ? `${LOOPBACK}:${text}` : text)
  // A host of digits and dots that is no IPv4 address is a mistyped address.
  const isWrong = address !== undefined && /^[\d.]+$/.test(address.host) && !isIPv4(address.host)
  return isWrong ? undefined : address
}

/** Puts brackets around an IPv6 host. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

export function addressUrl(scheme: 'grpc' | 'grpcs' | 'http' | 'https', address: Address): string {
  return `${scheme}://${formatAddress(address)}`
}

/** Whether only this machine can reach the host. Names other than `localhost` can resolve to any address. */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.')
  return host === '::1' || host.toLowerCase() === 'localhost'
}

/**
 * Returns the address of the caller. If trusted proxies forwarded the call, this is the address that they
 * report. `forwardedFor` is the value of `X-Forwarded-For`, in which each proxy adds its caller's address at
 * the end.
 */
export type CallerAddress = (peer: string, forwardedFor: string | undefined) => string

/**
 * Reads `X-Forwarded-For` from its end and stops at the first address that is not a trusted proxy. Any caller
 * can forge the addresses before that one.
 */
export function callerAddress(proxies: readonly string[]): CallerAddress {
  const networks = proxies.map(networkOf).filter((network) => network !== undefined)
  const isTrusted = (address: string) => networks.some((network) => inNetwork(address, network))
  return (peer, forwardedFor = '') => {
    let caller = peer
    for (const written of forwardedFor.split(',').toReversed()) {
      const address = isTrusted(caller) ? withoutPort(written) : ''
      if (isIP(address) === 0) break
      caller = address
    }
    return caller
  }
}

/**
 * Returns the network as ADDRESS/PREFIX. A single address becomes a network of one address. Returns undefined
 * for other texts, and for a network of all addresses (`/0`).
 */
export function proxyNetwork(text: string): string | undefined {
  const network = isIP(text) === 0 ? text : `${text}/${isIPv4(text) ? 32 : 128}`
  return networkOf(network) === undefined || /\/0+$/.test(network) ? undefined : network
}

/** Removes the port that some proxies add. */
function withoutPort(written: string): string {
  const text = written.trim()
  return isIP(text) === 0 ? text.replace(/^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$/, '$1$2') : text
}
