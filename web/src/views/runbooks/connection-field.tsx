import type { Connection } from '../../api/types.ts'
import { Choice } from '../../form/choice.tsx'
import { Note } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'

interface ConnectionFieldProps {
  readonly connections: readonly Connection[]
  readonly connection: string
  readonly setConnection: (name: string) => void
}

export function ConnectionField({ connections, connection, setConnection }: ConnectionFieldProps) {
  const options = connections.map(({ name, status }) => {
    return [name, `${visible(name)}${status === 'online' ? '' : ' (offline)'}`] as const
  })
  return <Choice label="Connection" value={connection} onValue={setConnection} options={options} />
}

/** Says before the run that an agent is away. */
export function AwayNote({ connections }: { readonly connections: readonly Connection[] }) {
  const away = connections.filter(({ status }) => status !== 'online')
  const [first] = away
  if (first === undefined) return null
  return (
    <Note tone="wait" title={away.length === 1 ? 'The agent is away' : `${away.length} agents are away`}>
      <p>
        {away.length === 1 ? <Name>{first.name}</Name> : `${away.length} of the connections`} cannot run
        anything at the moment. A run that starts now waits for the agent for a short time, and then fails.
      </p>
    </Note>
  )
}
