import { useEffect } from 'preact/hooks'
import { askFresh, takeChange, type Change } from '../../api/fresh.ts'
import { useAction } from '../../parts/action.ts'

/**
 * Changes users and tokens, one change at a time. Also sends the request that waited for a new sign-in, if
 * `isKnown` says that the view makes it. `done` is called with the answer.
 */
export function useChange(
  isKnown: (change: Change) => boolean,
  done: (answer: unknown, change: Change) => void,
) {
  const { busy, error, act } = useAction(() => undefined)
  const make = (change: Change): void => act(async () => done(await askFresh(change), change))
  useEffect(() => {
    const left = takeChange(isKnown)
    if (left !== undefined) make(left)
  }, [])
  return { busy, error, make }
}
