import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { loadFailure, type Refused } from '../api/request.ts'
import { Loading, Problem } from './messages.tsx'

/**
 * Loads a file. The default export of the file is then shown. Pass the same function in every rendering of
 * the parent.
 */
export type Load = () => Promise<{ readonly default: unknown }>

interface OpenedProps<Props extends object> {
  readonly load: Load
  readonly props: Props
}

/** The loaded parts. A part in this map is shown immediately the next time. */
const loaded = new Map<Load, unknown>()

/** Loads a part before the user opens it. A failure shows when the user does so. */
export async function fetchPart(load: Load): Promise<void> {
  const file = await load().catch(() => undefined)
  if (file !== undefined) loaded.set(load, file.default)
}

/** A view, or a part of a view. It is loaded when the user opens it. */
export function Opened<Props extends object>({ load, props }: OpenedProps<Props>) {
  const [, setVersion] = useState(0)
  const [error, setError] = useState<Refused | undefined>(undefined)
  const [attempt, setAttempt] = useState(0)
  // A reload without the gateway would leave only the browser's own error.
  const retry = async () => {
    const failure = await loadFailure()
    if (failure.code !== 'unreachable' && error?.code !== 'unreachable') {
      location.reload()
      return
    }
    setError(failure.code === 'unreachable' ? failure : undefined)
    setAttempt((count) => count + 1)
  }
  const Part = loaded.get(load) as ComponentType<Props> | undefined
  useEffect(() => {
    // fetchPart may have stored the file since this rendering, which then still shows Loading.
    if (Part !== undefined) return
    load().then(
      (file) => {
        loaded.set(load, file.default)
        setVersion((version) => version + 1)
      },
      async () => setError(await loadFailure()),
    )
  }, [load, attempt])
  if (error !== undefined) return <Problem error={error} onRetry={() => void retry()} />
  return Part === undefined ? <Loading /> : <Part {...props} />
}
