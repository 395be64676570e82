import { RepositoryError } from '../refusals/runbook-errors.ts'

/** No file system allows a longer name for a ref's file. */
const MAX_BRANCH_LENGTH = 244

/** Throws a RepositoryError unless git would accept `branch` as a branch name (git-check-ref-format(1)). */
export function checkBranch(branch: string): void {
  const why = brokenRule(branch)
  if (why === undefined) return
  throw new RepositoryError(`runbook repository branch ${JSON.stringify(branch.slice(0, 300))} ${why}`)
}

function brokenRule(branch: string): string | undefined {
  if (branch === '') return 'is empty: leave the setting out to use the default branch'
  if (branch.length > MAX_BRANCH_LENGTH) return `is longer than ${MAX_BRANCH_LENGTH} characters`
  if (branch.startsWith('-')) return "must not start with '-'"
  if (branch === '@' || branch === 'HEAD') return 'is not a name of a branch'
  if (/[\p{Cc} ~^:?*[\\]/u.test(branch)) return 'holds a character that git does not allow in a branch name'
  if (/\.\.|@\{|\.$/.test(branch)) return "must not hold '..' or '@{', nor end with '.'"
  if (branch.split('/').some(brokenComponent))
    return "has an empty part, or one that starts with '.' or ends with '.lock'"
  return undefined
}

function brokenComponent(component: string): boolean {
  return component === '' || component.startsWith('.') || component.endsWith('.lock')
}
