import { lstat, readFile, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/** Largest packed-refs that is read here. For a larger file, git fetches instead. */
const MAX_PACKED_REFS_BYTES = 4 * 1024 * 1024

interface GitDirs {
  /** Folder with HEAD. A linked worktree has its own folder. */
  readonly gitDir: string
  /** Folder with refs and packed-refs, which all worktrees share. */
  readonly commonDir: string
}

/**
 * Returns the commit of a local repository's branch (or HEAD). Reading the files takes less than a
 * millisecond, and a fetch without new commits takes ten. Returns `undefined` for other layouts (reftable,
 * symbolic branches, not a repository), because only a fetch finds their commit.
 */
export async function localTip(path: string, branch: string | undefined): Promise<string | undefined> {
  const dirs = await findGitDirs(path)
  if (dirs === undefined) return undefined
  const head = branch === undefined ? await readLine(join(dirs.gitDir, 'HEAD')) : `ref: refs/heads/${branch}`
  if (head === undefined || isObjectId(head)) return head
  const ref = /^ref: (refs\/heads\/.+)$/.exec(head)?.[1]
  if (ref === undefined || ref.split('/').includes('..')) return undefined
  // The loose file is read first, because git writes packed-refs before it removes the loose file.
  const loose = await readLine(join(dirs.commonDir, ref))
  if (loose !== undefined) return isObjectId(loose) ? loose : undefined
  return packedTip(dirs.commonDir, ref)
}

/** Returns all paths that git may compare with `safe.directory`. Versions of git differ in this path. */
export async function ownedPaths(path: string): Promise<string[]> {
  const dirs = await findGitDirs(path)
  const paths = [path, join(path, '.git'), ...(dirs === undefined ? [] : [dirs.gitDir, dirs.commonDir])]
  const real = await Promise.all(paths.map((each) => realpath(each).catch(() => each)))
  return [...new Set([...paths, ...real])]
}

/** Returns undefined if the path is not a repository. */
async function findGitDirs(path: string): Promise<GitDirs | undefined> {
  const gitDir = await findGitDir(path)
  if (gitDir === undefined) return undefined
  const common = await readLine(join(gitDir, 'commondir'))
  return { gitDir, commonDir: common === undefined ? gitDir : resolve(gitDir, common) }
}

/**
 * Looks in git's order for a `.git` folder, the `.git` file of a linked worktree or submodule, and a bare
 * repository.
 */
async function findGitDir(path: string): Promise<string | undefined> {
  const dotGit = join(path, '.git')
  const found = await stat(dotGit).catch(() => undefined)
  if (found?.isDirectory() === true) return dotGit
  if (found?.isFile() === true) {
    const target = /^gitdir: (.+)$/.exec((await readLine(dotGit)) ?? '')?.[1]
    return target === undefined ? undefined : resolve(path, target)
  }
  const head = await stat(join(path, 'HEAD')).catch(() => undefined)
  return head?.isFile() === true ? path : undefined
}

async function packedTip(commonDir: string, ref: string): Promise<string | undefined> {
  const file = join(commonDir, 'packed-refs')
  const found = await stat(file).catch(() => undefined)
  if (found === undefined || found.size > MAX_PACKED_REFS_BYTES) return undefined
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n')
  const oid = lines.find((line) => line.endsWith(` ${ref}`))?.slice(0, -ref.length - 1)
  return oid !== undefined && isObjectId(oid) ? oid : undefined
}

async function readLine(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text?.replace(/\n$/, '')
}

function isObjectId(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
}

/**
 * Tells whether a commit is enough to add a missing file to the branch. This is so if the file is in the
 * working tree and the branch is checked out. As in git, links are not followed.
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
