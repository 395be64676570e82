import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'

/** A network like `10.0.0.0/8`; undefined for anything else. */
export function networkOf(entry: string): BlockList | undefined {
  const [, address = '', prefix = ''] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? []
  const version = isIP(address)
  if (version === 0 || Number(prefix) > (version === 4 ? 32 : 128)) return undefined
  const network = new BlockList()
  network.addSubnet(address, Number(prefix), version === 4 ? 'ipv4' : 'ipv6')
  return network
}

/** Whether the host is an address in it. IPv4 written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4. */
export function inNetwork(host: string, network: BlockList): boolean {
  const version = isIP(host)
  return version !== 0 && network.check(host, version === 4 ? 'ipv4' : 'ipv6')
}

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

/**
 * Where a call comes from: its peer's address, or the one for which a trusted proxy speaks.
 * @param forwardedFor `X-Forwarded-For`, at whose end each proxy adds the address that has called it
 */
export type CallerAddress = (peer: string, forwardedFor: string | undefined) => string

/** @param proxies who is believed. What stands before an address that is none of theirs, anybody can have written */
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

/** An address or a network as a network; undefined for anything else, and for the network of everybody. */
export function proxyNetwork(text: string): string | undefined {
  const network = isIP(text) === 0 ? text : `${text}/${isIPv4(text) ? 32 : 128}`
  return networkOf(network) === undefined || /\/0+$/.test(network) ? undefined : network
}

/** Some proxies add the port. */
function withoutPort(written: string): string {
  const text = written.trim()
  return isIP(text) === 0 ? text.replace(/^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$/, '$1$2') : text
}
