import type { Finding } from './finding.ts'
import { ok, skipped } from './finding.ts'

export function checkVersion(version: string): Finding {
  return ok(`runbook-agent ${version}, Node ${process.version}, ${process.platform} ${process.arch}`)
}

/** Neither HealthCheck nor the packets after Connect name it. */
export function checkGatewayVersion(): Finding {
  return skipped('not known: the protocol has no place where a gateway tells its version to an agent')
}
