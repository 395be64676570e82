import type { Finding } from '../finding.ts'
import { broken } from '../finding.ts'
import { firstStep, openSocket, Patience, type ResolvedRoute, type Way } from './way.ts'

const CONNECT_MS = 5000

interface Attempt {
  readonly address: string
  /** Undefined when there was a connection. */
  readonly error: string | undefined
  readonly ms: number
}

/** Each address on its own: one that does not answer costs every attempt that comes to it. */
export async function checkTcp(route: ResolvedRoute, signal: AbortSignal): Promise<Finding<Way>> {
  const { port } = firstStep(route)
  const attempts = await Promise.all(route.addresses.map((address) => attempt(address, port, signal)))
  const found = attempts.map(describe).join('; ')
  const open = attempts.find(({ error }) => error === undefined)
  if (open === undefined) return broken(`port ${port}: ${found}`, advice(attempts))
  const fact = { ...route, address: open.address }
  if (attempts.every(({ error }) => error === undefined))
    return { level: 'ok', found: `port ${port}: ${found}`, fact }
  return {
    level: 'warning',
    found: `port ${port}: ${found}`,
    advice: 'The agent tries the others, and loses time with those that do not answer',
    fact,
  }
}

async function attempt(address: string, port: number, signal: AbortSignal): Promise<Attempt> {
  const from = performance.now()
  const result = (error?: string) => ({ address, error, ms: Math.round(performance.now() - from) })
  using patience = new Patience(CONNECT_MS, signal)
  try {
    const socket = await openSocket(address, port, patience.signal)
    socket.destroy()
    return result()
  } catch (error) {
    const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException
    return result(patience.isOver ? `no answer within ${CONNECT_MS / 1000} s` : code)
  }
}

function describe({ address, error, ms }: Attempt): string {
  return `${address} ${error ?? `in ${ms} ms`}`
}

function advice(attempts: readonly Attempt[]): string {
  if (attempts.every(({ error }) => error === 'ECONNREFUSED'))
    return 'Nobody listens there: does the gateway run? Is it the port of gRPC (8010 as a rule), not that of its web page?'
  return 'Something on the way, such as a firewall, lets nothing through to this port'
}
