import { useEffect, useState } from 'preact/hooks'
import { person } from '../../api/person.ts'
import { asRefused, type Refused } from '../../api/request.ts'

/**
 * Sessions and batches that this tab requested and that wait for an approval. The value is the name of the
 * user. The tab runs them after the approval, as `run` of the command line does. After a reload, or after
 * another user has signed in, the user has to choose Run.
 */
const asked = new Map<string, string>()

export function runWhenApproved(id: string): void {
  const name = person.peek()?.name
  if (name !== undefined) asked.set(id, name)
}

export function runsWhenApproved(id: string): boolean {
  const name = asked.get(id)
  return name !== undefined && name === person.value?.name
}

/** Forgets a session or batch that has started or that could not start. */
export function isAskedNoMore(id: string): void {
  asked.delete(id)
}

/**
 * Runs a session or batch that this tab requested, once, as soon as it is approved. `run` and `reload` must
 * be the same functions in each rendering. Returns the error if the run could not start.
 */
export function useRunWhenApproved(
  id: string,
  isApproved: boolean,
  run: (id: string) => Promise<unknown>,
  reload: () => void,
): Refused | undefined {
  const [failure, setFailure] = useState<Refused | undefined>(undefined)
  const isReady = isApproved && runsWhenApproved(id)
  useEffect(() => {
    if (!isReady) return
    isAskedNoMore(id)
    run(id).then(reload, (error: unknown) => setFailure(asRefused(error)))
  }, [isReady, id, run, reload])
  return failure
}
