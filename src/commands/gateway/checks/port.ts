import { once } from 'node:events'
import { createServer } from 'node:net'
import { formatAddress, type Address } from '../../../basics/net/address.ts'
import { broken, ok, skipped, type Finding } from '../../doctor/finding.ts'

export type Server = 'http' | 'grpc' | 'metrics'

const ADVICE: Readonly<Partial<Record<string, string>>> = {
  EADDRINUSE: 'End what uses it (beside a running gateway it is that), or choose another port',
  EACCES: 'Choose a port above 1023, or give the service CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'Choose an address of this machine',
}

/** Listens there for a moment: there is no other way to know. */
export async function checkPort(address: Address | undefined): Promise<Finding> {
  if (address === undefined) return skipped('there is none')
  const server = createServer()
  try {
    server.listen({ ...address, exclusive: true })
    await once(server, 'listening')
    return ok(`${formatAddress(address)} is free`)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const advice = ADVICE[code] ?? 'Choose another address'
    return broken(`cannot listen on ${formatAddress(address)}: ${code || message}`, advice)
  } finally {
    server.close()
  }
}
