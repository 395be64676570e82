import { runInMirror, type CommandOptions } from './command.ts'
import { RunbookError } from '../../refusals/runbook-errors.ts'
import { MAX_STRUCTURE_BYTES, type ObjectReader } from './objects.ts'

/** Most checks that wait. They wait because only one git process runs at a time. */
const MAX_WAITING = 100
/** Most answers that are remembered. Users run few commits by hash, mostly commits of open reviews. */
const MAX_REMEMBERED = 1_000

/** @throws RunbookError for anything but 7 to 64 hex digits, for example a branch or `HEAD~1` */
export function checkRefHash(refHash: string): string {
  if (/^[0-9a-f]{7,64}$/i.test(refHash)) return refHash.toLowerCase()
  throw new RunbookError(
    'ref',
    `ref_hash ${JSON.stringify(refHash.slice(0, 80))} must be 7 to 64 hexadecimal digits`,
  )
}

/**
 * Returns the full id, or `undefined` if the mirror has no such object.
 * @throws RunbookError if the object is not a commit, or if several commits match
 */
export async function findCommit(objects: ObjectReader, hash: string): Promise<string | undefined> {
  const commit = await objects.read(`${hash}^{commit}`, MAX_STRUCTURE_BYTES)
  // git answers a tag object with its commit, which has another hash. Only the commit's own hash counts.
  if (commit.kind === 'found' && commit.oid.startsWith(hash)) return commit.oid
  if (commit.kind === 'ambiguous')
    throw new RunbookError('ref', `ref_hash ${hash} is ambiguous; send more digits`)
  const object = await objects.read(hash, MAX_STRUCTURE_BYTES)
  if (object.kind === 'missing') return undefined
  throw new RunbookError('ref', `ref_hash ${hash} is not a commit`)
}

/** Finds out whether a commit is on a branch. Remembers a limited number of positive answers. */
export class Ancestry {
  readonly #gitDir: string
  readonly #options: CommandOptions
  readonly #known = new Set<string>()
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(gitDir: string, options: CommandOptions) {
    this.#gitDir = gitDir
    this.#options = options
  }

  /** Tells whether `tip` is `commit` or a descendant of `commit`. Both are full ids. */
  async includes(commit: string, tip: string): Promise<boolean> {
    if (commit === tip) return true
    // The tip is part of the key: after a force push the commit may no longer be on the branch.
    const key = `${commit} ${tip}`
    if (this.#known.has(key)) return true
    const ancestor = await this.#inTurn(async () => this.#known.has(key) || (await this.#ask(commit, tip)))
    if (ancestor) this.#remember(key)
    return ancestor
  }

  /** Settles after all our git processes have ended. */
  async close(): Promise<void> {
    await this.#last.catch(() => undefined)
  }

  async #inTurn(question: () => Promise<boolean>): Promise<boolean> {
    if (this.#waiting >= MAX_WAITING)
      throw new RunbookError('repository', 'too many ref_hash checks are waiting; try again later')
    this.#waiting += 1
    const answer = this.#last.then(question, question)
    this.#last = answer
    try {
      return await answer
    } finally {
      this.#waiting -= 1
    }
  }

  async #ask(commit: string, tip: string): Promise<boolean> {
    const args = ['merge-base', '--is-ancestor', commit, tip]
    const { code, stderr } = await runInMirror(this.#gitDir, args, this.#options)
    if (code > 1) throw new RunbookError('damaged', `git merge-base failed: ${stderr.trim()}`)
    return code === 0
  }

  #remember(key: string): void {
    this.#known.add(key)
    const [oldest] = this.#known
    if (this.#known.size > MAX_REMEMBERED && oldest !== undefined) this.#known.delete(oldest)
  }
}
