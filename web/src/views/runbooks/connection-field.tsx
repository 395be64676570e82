import type { Connection } from '../../api/types.ts'
import { Choice } from '../../form/choice.tsx'
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
