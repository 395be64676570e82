import type { Agent } from '../../agent/agent.ts'
import type { Counters } from '../../agent/counters.ts'
import type { Journal } from '../../agent/journal/journal.ts'
import type { AgentServices } from '../../agent/running/services.ts'
import type { Status, StatusSource } from '../../operations/status.ts'
import { version } from '../version.ts'
import type { CurrentIdentity } from './current-identity.ts'

interface Parts {
  readonly agent: Agent
  readonly identities: CurrentIdentity
  readonly services: AgentServices
  readonly counters: Counters
  readonly journal: Journal
}

/** The status of the running agent, computed for each request. */
export function statusSource(parts: Parts): StatusSource {
  return () => ({
    version,
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    agent: parts.identities.current.name,
    gateway: parts.agent.state.gateway,
    engine: parts.services.engine.name,
    connection: connectionOf(parts.agent),
    sessions: sessionsOf(parts),
    output: outputOf(parts),
    systemRequests: Object.fromEntries(parts.counters.systemRequests),
    processesEnded: parts.counters.processesEnded,
    journalLinesLost: parts.journal.linesLost,
    ordinarySecrets: Object.fromEntries(parts.services.redactions?.ordinary ?? []),
  })
}

function connectionOf({ state, health, stall, gatewayStopsAt }: Agent): Status['connection'] {
  const { name, since, reconnects } = state
  return {
    state: name,
    since: since.wall.toISOString(),
    reason: 'reason' in state && state.reason !== '' ? state.reason : undefined,
    reconnects,
    health: health && { at: health.at.wall.toISOString(), milliseconds: health.roundTripMs },
    stall: stall && { since: new Date(Date.now() - stall.ms).toISOString(), bytes: stall.bytes },
    gatewayStopsAt: gatewayStopsAt?.toISOString(),
  }
}

function sessionsOf({ services: { slots }, counters }: Parts): Status['sessions'] {
  const { opened, started, confirmed, unconfirmed, outcomes, reasons, guardrails } = counters
  return {
    running: slots.taken,
    limit: slots.limit,
    ...{ opened, started, confirmed, unconfirmed },
    outcomes: Object.fromEntries(outcomes),
    reasons: Object.fromEntries(reasons),
    guardrails: Object.fromEntries(guardrails),
  }
}

function outputOf({ services: { tails }, counters }: Parts): Status['output'] {
  const { bytesRead, bytesSent, bytesLeftOut, bytesRedacted } = counters
  return {
    ...{ bytesRead, bytesSent, bytesLeftOut, bytesRedacted },
    tailBytes: tails.used,
  }
}
