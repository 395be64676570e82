import { useCallback, useEffect, useState } from 'preact/hooks'
import { changesOf, type Topic } from '../api/changes.ts'
import { asRefused, isAbort, type Refused } from '../api/request.ts'

/** Keeps the last value during a reload, and when a reload fails. */
export interface Loaded<Value> {
  readonly value: Value | undefined
  readonly error: Refused | undefined
  readonly reload: () => void
}

/**
 * Loads a value, and loads it again when the gateway announces a change. As long as the same value is wanted,
 * `load` must be the same function (useCallback).
 */
export function useLoaded<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  topics: readonly Topic[] = [],
): Loaded<Value> {
  const [state, setState] = useState<{ value?: Value; error?: Refused; of?: unknown }>({})
  const [asked, setAsked] = useState(0)
  const changes = changesOf(topics)
  useEffect(() => {
    const ended = new AbortController()
    load(ended.signal).then(
      (value) => !ended.signal.aborted && setState({ value, of: load }),
      (error: unknown) => {
        if (ended.signal.aborted || isAbort(error)) return
        setState((before) => ({ ...(before.of === load ? before : {}), error: asRefused(error), of: load }))
      },
    )
    return () => ended.abort()
  }, [load, asked, changes])
  const reload = useCallback(() => setAsked((count) => count + 1), [])
  const isOfThis = state.of === load
  return { value: isOfThis ? state.value : undefined, error: isOfThis ? state.error : undefined, reload }
}
