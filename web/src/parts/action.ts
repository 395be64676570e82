import { useState } from 'preact/hooks'
import { asRefused, type Refused } from '../api/request.ts'

/** Runs one action at a time and keeps its result. `done` is called after a success. */
export function useAction(done: () => void) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Refused | undefined>(undefined)
  const act = (action: () => Promise<unknown>): void => {
    setBusy(true)
    setError(undefined)
    action()
      .then(done, (failure: unknown) => setError(asRefused(failure)))
      .finally(() => setBusy(false))
  }
  return { busy, error, act }
}
