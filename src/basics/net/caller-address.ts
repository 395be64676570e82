import { isIP, isIPv4 } from 'node:net'
import { inNetwork, networkOf } from './network.ts'

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
