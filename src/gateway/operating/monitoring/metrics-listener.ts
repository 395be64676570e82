import type { Address } from '../../../basics/net/address.ts'
import type { Logger } from '../../../basics/logger.ts'
import type { Opened } from '../../../basics/opened.ts'
import { readinessOf, type Condition } from './readiness.ts'
import { gatewayMetrics, type Measured } from './gateway-metrics.ts'

interface Watched {
  readonly measured: Measured
  readonly condition: () => Condition
  readonly log: Logger
}

/**
 * For Prometheus and probes, which get no token: it serves figures and states alone.
 * @returns where, if it is wanted @throws ListenError
 */
export async function openMetrics(
  listen: Address | undefined,
  { measured, condition, log }: Watched,
  opened: Opened,
): Promise<string | undefined> {
  if (listen === undefined) return undefined
  // With its packages it takes a tenth of the start.
  const { openHttp } = await import('../../../operations/http.ts')
  const readiness = () => {
    const { status, reason, warning } = readinessOf(condition())
    const line = [reason ?? status, warning].filter((one) => one !== undefined).join('; ')
    return { ok: status === 'ready', line }
  }
  const http = await openHttp({ listen, metrics: gatewayMetrics(measured), readiness, log })
  opened.add(async () => http[Symbol.asyncDispose]())
  return http.address
}
