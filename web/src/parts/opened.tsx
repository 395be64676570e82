import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { asRefused, type Refused } from '../api/request.ts'
import { Loading, Problem } from './messages.tsx'

interface OpenedProps<Props extends object> {
  /** Keeps its identity between renderings. */
  readonly load: () => Promise<ComponentType<Props>>
  readonly props: Props
}

/** A part of a view that is loaded when it is opened. */
export function Opened<Props extends object>({ load, props }: OpenedProps<Props>) {
  const [part, setPart] = useState<{ readonly view: ComponentType<Props> } | undefined>(undefined)
  const [error, setError] = useState<Refused | undefined>(undefined)
  useEffect(() => {
    load().then(
      (view) => setPart({ view }),
      // After an update of the gateway the files have other names.
      (failure: unknown) => setError(asRefused(failure)),
    )
  }, [load])
  if (error !== undefined) return <Problem error={error} onRetry={() => location.reload()} />
  return part === undefined ? <Loading /> : <part.view {...props} />
}
