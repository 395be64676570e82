import * as v from 'valibot'
import { didYouMean } from '../text/nearest.ts'
import type { Path, Problems } from './problems.ts'

/** A longer list of names would hide the suggestion. */
const MOST_NAMES = 12

/**
 * What the shape makes of the tree. Undefined when something in it is not what it should be.
 * @param report gets each fault with its path from the top of the tree
 */
export function checkShape<const Shape extends v.GenericSchema>(
  shape: Shape,
  tree: unknown,
  report: Problems['add'],
): v.InferOutput<Shape> | undefined {
  const result = v.safeParse(shape, tree)
  if (result.success) return result.output
  for (const issue of result.issues) {
    const path: Path = issue.path?.map(({ key }) => key as string | number) ?? []
    if (issue.type === 'never')
      report(path, unknownSetting(String(path.at(-1)), issue.message.split(' ')), 'key')
    else report(path, issue.message, issue.path?.at(-1)?.origin === 'key' ? 'key' : 'value')
  }
  return undefined
}

/** @param known what is accepted in this place */
export function unknownSetting(name: string, known: readonly string[]): string {
  const meant = didYouMean(name.slice(0, 100), known)
  const accepted = known.length > MOST_NAMES ? '' : `accepted here: ${known.join(', ')}`
  if (meant === undefined) return ['unknown setting', accepted].filter((part) => part !== '').join(', ')
  return `unknown setting, ${meant}${accepted === '' ? '' : ` (${accepted})`}`
}
