import { formatAddress, type Address } from './address.ts'

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ETIMEDOUT: 'i/o timeout',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
}

/** A failed connection in the words of Go's dialer, since users of hoop search for them. */
export function goDialError(error: NodeJS.ErrnoException, { host, port }: Address): string {
  const code = error.code ?? error.message
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${host}: no such host`
  return `dial tcp ${formatAddress({ host, port })}: ${REASONS[code] ?? code}`
}
