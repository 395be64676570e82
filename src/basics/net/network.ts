import { BlockList, isIP } from 'node:net'

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
