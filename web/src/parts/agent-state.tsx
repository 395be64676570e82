import type { Agent } from '../api/types.ts'
import { State, type StateKind } from './state.tsx'

/** Says `offline` of an agent that runs nothing now. The words beside it say since when and why. */
const STATES = {
  connected: ['online', 'connected'],
  draining: ['paused', 'draining'],
  left: ['off', 'offline'],
  lost: ['offline', 'offline'],
  never: ['offline', 'offline'],
} as const satisfies Readonly<Record<Agent['state'], readonly [StateKind, string]>>

export function AgentState({ state }: Pick<Agent, 'state'>) {
  const [kind, word] = STATES[state]
  return <State kind={kind}>{word}</State>
}
