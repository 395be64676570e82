import { isIP } from 'node:net'
import { isLoopback } from './loopback.ts'
import { inNetwork, networkOf } from './network.ts'

/** Which addresses are reached without a proxy. */
export type NoProxy = (host: string, port: number) => boolean

/**
 * `NO_PROXY` as Go reads it: names (`example.com` with everything below it, `.example.com` only what is below),
 * addresses, networks (`10.0.0.0/8`), or `*`. Names and addresses may have a port. The loopback never goes through a
 * proxy.
 */
export function parseNoProxy(text: string): NoProxy {
  const entries = text
    .toLowerCase()
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  const matchers = entries.map(matcherOf)
  return (host, port) =>
    isLoopback(host) || matchers.some((matches) => matches(host.toLowerCase().replace(/\.$/, ''), port))
}

function matcherOf(entry: string): NoProxy {
  if (entry === '*') return () => true
  const network = networkOf(entry)
  if (network !== undefined) return (host) => inNetwork(host, network)
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 0 ? entry : `[${entry}]`) ?? []
  const matchesPort: NoProxy = (_, at) => port === undefined || Number(port) === at
  const address = name.replace(/^\[|\]$/g, '')
  if (isIP(address) !== 0) return (host, at) => host === address && matchesPort(host, at)
  const domain = name.replace(/^\*\./, '.')
  const suffix = domain.startsWith('.') ? domain : `.${domain}`
  return (host, at) => (host.endsWith(suffix) || host === domain) && matchesPort(host, at)
}
