import { useEffect } from 'preact/hooks'
import { askFresh, takeChange, type Change } from '../../api/fresh.ts'
import { useAction } from '../../parts/action.ts'

/**
 * Changes users and tokens, one at a time. What was asked for before the page was left for a sign-in is done now.
 * @param isKnown which changes the view makes
 * @param done is called with the answer
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
