import { useEffect, useState } from 'preact/hooks'
import { person } from '../../api/person.ts'
import { asRefused, type Refused } from '../../api/request.ts'

/**
 * Sessions and batches that this tab has requested and that wait for an approval, each with the name of the
 * signed-in user. Like `run` of the command line, the tab runs them after the approval. After a reload, or as
 * another user, people choose Run.
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

/** Forgets a session or batch that has begun or could not begin. */
export function isAskedNoMore(id: string): void {
  asked.delete(id)
}

/**
 * Runs this tab's session or batch once, as soon as it is approved.
 * @param run starts it; the function keeps its identity between renderings, as `reload` does
 * @returns the reason why it did not start
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
