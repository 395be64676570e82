import { useId } from 'preact/hooks'
import type { Connection } from '../../api/types.ts'
import { visible } from '../../parts/visible.ts'

interface ConnectionFieldProps {
  readonly connections: readonly Connection[]
  readonly connection: string
  readonly setConnection: (name: string) => void
}

export function ConnectionField({ connections, connection, setConnection }: ConnectionFieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>Connection</label>
      <select id={id} value={connection} onChange={(event) => setConnection(event.currentTarget.value)}>
        {connections.map(({ name, status }) => (
          <option key={name} value={name}>
            {visible(name)}
            {status === 'online' ? '' : ' (offline)'}
          </option>
        ))}
      </select>
    </div>
  )
}
