import { useState } from 'preact/hooks'
import { asRefused, type Refused } from '../api/request.ts'

/** One thing at a time, and what became of it. @param done is called when it went well */
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
