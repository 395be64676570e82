import { useCallback } from 'preact/hooks'
import { readConnection } from '../../api/gateway.ts'
import type { Session } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Note } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { effectOf } from './cut-off.ts'

/** Says of a session that its agent or the gateway has cut off whether it may have had an effect, and what to do. */
export function CutOffNote({ session }: { readonly session: Session }) {
  const { state, began_at: began = null, verb } = session
  const effect = effectOf(state.name, began)
  if (effect === undefined) return null
  const isNothing = effect === 'none'
  const isOfGateway = state.name.startsWith('gateway-')
  const what = verb === 'connect' ? 'Commands' : 'The script'
  return (
    <Note
      tone={isNothing ? 'live' : 'wait'}
      title={isNothing ? 'Nothing has run' : `${what} may have run, in part or to the end`}
    >
      <Cause session={session} />{' '}
      {isNothing
        ? `Run it again when the ${isOfGateway ? 'gateway has started' : 'agent is connected'}.`
        : 'Look for the effect, and read the log of the agent, before you run it again.'}{' '}
      <a href="/agents">Look at the agents.</a>
    </Note>
  )
}

function Cause({ session: { state, connection } }: { readonly session: Session }) {
  if (state.name === 'gateway-stopped') return <>The gateway was stopped.</>
  if (state.name === 'gateway-lost') return <>The gateway was killed.</>
  const agent = <Agent connection={connection} />
  if (state.name === 'agent-offline') return <>{agent} was not connected, and did not connect in time.</>
  if (state.name === 'agent-silent') return <>{agent} did not say in time that the run had begun.</>
  if (state.name === 'agent-lost') return <>{agent} was lost, so nobody knows how the run ended.</>
  return <>{agent} was stopped.</>
}

/** Who may not see the connection any more does not learn the agent's name. */
function Agent({ connection }: { readonly connection: string }) {
  const load = useCallback((signal: AbortSignal) => readConnection(connection, signal), [connection])
  const { value } = useLoaded(load)
  return value === undefined ? (
    <>
      The agent of <Name>{connection}</Name>
    </>
  ) : (
    <>
      The agent <Name>{value.agent_id}</Name> of <Name>{connection}</Name>
    </>
  )
}
