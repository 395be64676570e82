import { onAbort } from '../../../basics/abort.ts'

/** Never resolves; rejects with the signal's reason. For a race with work that does not heed the signal. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    onAbort(signal, () => reject(signal.reason as Error))
  })
}
