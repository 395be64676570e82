import type { Session } from '../../api/types.ts'
import { Note } from '../../parts/messages.tsx'
import { Elapsed, TimeLeft } from '../../parts/moment.tsx'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'

/** Shows who holds the lock that the session waits for, and how long they have held it. */
export function LockNote({ session: { state } }: { readonly session: Session }) {
  if (state.name !== 'waiting-for-lock') return null
  return (
    <Note tone="wait" role="status" title={<>This run waits for the lock {visible(state.lock ?? '')}</>}>
      {state.by === null || state.since === null ? (
        'Other runs get the lock first. This run starts automatically.'
      ) : (
        <>
          <Name>{state.by}</Name> has held the lock for <Elapsed from={state.since} to={null} />. This run
          starts automatically when the lock is free.
        </>
      )}
    </Note>
  )
}

/** Says that the command has not begun, because its agent is not connected. */
export function AgentNote({ session: { state } }: { readonly session: Session }) {
  if (state.name !== 'waiting-for-agent' || state.until === null) return null
  return (
    <Note
      tone="wait"
      role="status"
      title={
        <>
          This run waits for the agent <Name>{state.agent ?? ''}</Name>, <TimeLeft until={state.until} />
        </>
      }
    >
      The agent is not connected to the gateway. The run starts automatically when the agent connects; if it
      does not connect in time, the run ends, and nothing has run.
    </Note>
  )
}
