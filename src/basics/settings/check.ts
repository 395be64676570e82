import * as v from 'valibot'
import { nearest } from '../text/nearest.ts'
import { type Path, type Problems, shorten } from './problems.ts'
import { SettingsShape } from '../../gateway/settings/schema.ts'
import type { Tree } from './tree.ts'

/** The tree as settings, or undefined and every setting that is not what it should be as a problem. */
export function checkShape(tree: Tree, problems: Problems): SettingsShape | undefined {
  const result = v.safeParse(SettingsShape, tree)
  if (result.success) return result.output
  for (const issue of result.issues) {
    const path: Path = issue.path?.map(({ key }) => key as string | number) ?? []
    if (issue.type === 'never') problems.add(path, unknownSetting(path, issue.message.split(' ')), 'key')
    else problems.add(path, issue.message, issue.path?.at(-1)?.origin === 'key' ? 'key' : 'value')
  }
  return undefined
}

function unknownSetting(path: Path, known: readonly string[]): string {
  const meant = nearest(shorten(String(path.at(-1))), known)
  const accepted = `accepted here: ${known.join(', ')}`
  return meant === undefined
    ? `unknown setting, ${accepted}`
    : `unknown setting, did you mean ${meant}? (${accepted})`
}
