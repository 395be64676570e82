import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Finding } from '../finding.ts'
import { broken } from '../finding.ts'
import { firstStep, type ResolvedRoute, type Route } from './way.ts'

const MEANINGS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name: is it written right in the key? Does the DNS of this network know it?',
  EAI_AGAIN: 'no name server answers: look at /etc/resolv.conf and the network',
}

/** The addresses of the gateway, or of the proxy: that one looks up the gateway itself. */
export async function checkName(route: Route): Promise<Finding<ResolvedRoute>> {
  const { host } = firstStep(route)
  if (isIP(host) !== 0)
    return { level: 'ok', found: `${host} is an address`, fact: { ...route, addresses: [host] } }
  const whose = route.proxy === undefined ? '' : ' (the proxy)'
  try {
    const addresses = (await lookup(host, { all: true })).map(({ address }) => address)
    return { level: 'ok', found: `${host}${whose} is ${addresses.join(', ')}`, fact: { ...route, addresses } }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return broken(`${host}${whose} cannot be looked up (${code})`, MEANINGS[code] ?? 'Look at the network')
  }
}
