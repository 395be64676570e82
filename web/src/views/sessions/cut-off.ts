import type { StateName } from '../../../../src/contract/session-state.ts'

/** What an end from outside leaves open: whether the script had an effect. */
export type Effect = 'none' | 'unknown'

const EFFECTS: Readonly<Partial<Record<StateName, Effect | 'if-begun'>>> = {
  'agent-offline': 'none',
  'agent-silent': 'unknown',
  'agent-lost': 'unknown',
  'agent-stopped': 'if-begun',
  'gateway-stopped': 'if-begun',
  // The beginning may be lost with the gateway, so it says nothing here.
  'gateway-lost': 'unknown',
}

/** Returns undefined for an end that says by itself what has run. */
export function effectOf(state: StateName, beganAt: string | null): Effect | undefined {
  const effect = EFFECTS[state]
  if (effect !== 'if-begun') return effect
  return beganAt === null ? 'none' : 'unknown'
}
