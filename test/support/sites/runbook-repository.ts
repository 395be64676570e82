import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import type { Workplace } from './workplace.ts'

/** A git repository of runbooks in a workplace, with its work tree. */
export class Books {
  readonly path: string
  readonly #place: Workplace

  constructor(place: Workplace, files: Readonly<Record<string, string>> = {}) {
    this.#place = place
    this.path = place.at('books')
    mkdirSync(this.path)
    this.git('init', '--quiet', '--initial-branch=main', '--template=')
    this.commit({ 'README.md': 'Runbooks of a test.\n', ...files })
  }

  /** Writes the files, and commits them. @returns the commit's full id */
  commit(files: Readonly<Record<string, string>>): string {
    for (const [name, content] of Object.entries(files)) this.#place.write(`books/${name}`, content)
    this.git('add', '--all')
    this.git('commit', '--quiet', '--message=Change')
    return this.git('rev-parse', 'HEAD').trim()
  }

  /** A commit of a branch that starts at the newest commit; the work tree is back on main afterwards. */
  commitOn(branch: string, files: Readonly<Record<string, string>>): string {
    this.git('checkout', '--quiet', '-b', branch)
    const commit = this.commit(files)
    this.git('checkout', '--quiet', 'main')
    return commit
  }

  git(...args: string[]): string {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.test']
    return execFileSync('git', [...identity, ...args], {
      cwd: this.path,
      env: { ...this.#place.env, GIT_CONFIG_NOSYSTEM: '1' },
      encoding: 'utf8',
    })
  }
}
