import { TunnelError } from '../../../dial/tunnel.ts'
import type { Finding } from '../finding.ts'
import { broken, ok } from '../finding.ts'
import { openWay, Patience, type Way } from './way.ts'

const CONNECT_MS = 5000

/** Whether the proxy of the environment, where there is one for this gateway, carries connections to it. */
export async function checkProxy(way: Way, signal: AbortSignal): Promise<Finding<Way>> {
  if (way.proxy === undefined) return { ...ok(unused(way)), fact: way }
  const { address } = way.proxy
  using patience = new Patience(CONNECT_MS, signal)
  try {
    const socket = await openWay(way, patience.signal)
    socket.destroy()
    return { level: 'ok', found: `${address} carries connections to ${way.identity.address}`, fact: way }
  } catch (error) {
    const waited = patience.isOver ? `${address} gave no answer within ${CONNECT_MS / 1000} s` : undefined
    if (!(error instanceof TunnelError) && waited === undefined) throw error
    return broken(
      waited ?? (error as Error).message,
      'Look at HTTPS_PROXY, or name the gateway in NO_PROXY if it can be reached without the proxy',
    )
  }
}

function unused({ identity, hasOtherProxy }: Way): string {
  if (!hasOtherProxy) return 'none in the environment (HTTPS_PROXY)'
  return identity.tls === undefined
    ? 'that of HTTPS_PROXY is not used without TLS'
    : 'that of HTTPS_PROXY is not used for this gateway (NO_PROXY, or the loopback)'
}
