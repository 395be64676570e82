import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findGitDirs } from './local.ts'

/**
 * Whether a file that the branch does not have is in the working tree of a local repository, so that only a
 * commit is missing. False where the working tree is of another branch, or there is none. Like git, it
 * follows no links.
 */
export async function isInWorktree(
  repository: string,
  branch: string | undefined,
  components: readonly string[],
): Promise<boolean> {
  if (components.some((component) => component.toLowerCase() === '.git')) return false
  const gitDir = (await findGitDirs(repository))?.gitDir
  if (gitDir === undefined || gitDir === repository) return false
  if (branch !== undefined && !(await isCheckedOut(gitDir, branch))) return false
  return isRegularFile(repository, components)
}

async function isCheckedOut(gitDir: string, branch: string): Promise<boolean> {
  const head = await readFile(join(gitDir, 'HEAD'), 'utf8').catch(() => '')
  return head.trim() === `ref: refs/heads/${branch}`
}

async function isRegularFile(folder: string, components: readonly string[]): Promise<boolean> {
  let path = folder
  for (const [index, component] of components.entries()) {
    path = join(path, component)
    const found = await lstat(path).catch(() => undefined)
    const isLast = index === components.length - 1
    if (found === undefined || !(isLast ? found.isFile() : found.isDirectory())) return false
  }
  return true
}
