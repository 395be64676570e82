import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Logger } from '../../../src/basics/logger.ts'
import { RunbookRepository, type RunbookRepositoryOptions } from '../../../src/gateway/runbooks/repository.ts'

/** Hermetic: neither the developer's nor the machine's git configuration changes a test. */
const GIT_ENV = {
  PATH: process.env['PATH'] ?? '',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_ALLOW_PROTOCOL: 'file',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
}

export function git(folder: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: folder, env: GIT_ENV, encoding: 'utf8', stdio: 'pipe' }).trim()
}

/** A temporary folder with a git checkout in `origin`, room for a gateway's state in `state`, and a log. */
export class Workshop implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'runbooks-test-'))
  readonly origin = join(this.folder, 'origin')
  readonly state = join(this.folder, 'state')
  readonly lines: { level: string; fields: Record<string, unknown>; message: string }[] = []
  readonly #opened: RunbookRepository[] = []

  constructor(...initOptions: string[]) {
    git(this.folder, 'init', '--quiet', '--initial-branch=main', '--template=', ...initOptions, this.origin)
  }

  /** Writes the files, commits everything that changed and gives the commit's id. */
  commit(files: Record<string, string | Buffer>): string {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.origin, path)), { recursive: true })
      writeFileSync(join(this.origin, path), content)
    }
    git(this.origin, 'add', '--all')
    git(this.origin, 'commit', '--quiet', '--allow-empty', '--message=change')
    return git(this.origin, 'rev-parse', 'HEAD')
  }

  /** A bare clone of `origin`, by its path. */
  bareClone(name = 'bare.git'): string {
    const bare = join(this.folder, name)
    git(this.folder, 'clone', '--quiet', '--bare', this.origin, bare)
    return bare
  }

  /** A checkout of a new branch `side` that belongs to `origin`. */
  linkedWorktree(): string {
    const worktree = join(this.folder, 'worktree')
    git(this.origin, 'worktree', 'add', '--quiet', '-b', 'side', worktree)
    return worktree
  }

  /** A repository reading from `origin`; closed with the workshop. */
  open(options: Partial<RunbookRepositoryOptions> = {}): RunbookRepository {
    const base = { name: 'books', url: this.origin, stateDir: this.state, log: this.log }
    const repository = RunbookRepository.open({ ...base, ...options })
    this.#opened.push(repository)
    return repository
  }

  /**
   * An `ssh` that runs the remote command here, after the shell lines of `before`. It stands for a remote host.
   * `GIT_SSH_COMMAND` for the repository's `env`.
   */
  ssh(before = ''): string {
    const file = join(this.folder, 'ssh')
    // The last argument is the remote command.
    writeFileSync(file, `#!/bin/sh\n${before}\nfor last; do :; done\nexec sh -c "$last"\n`)
    chmodSync(file, 0o755)
    return file
  }

  /** The environment of a gateway whose ssh is ours. */
  sshEnv(before?: string): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], GIT_SSH_COMMAND: this.ssh(before) }
  }

  get log(): Logger {
    const line = (level: string) => (fields: object, message: string) => {
      this.lines.push({ level, fields: { ...fields }, message })
    }
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  }

  get warnings() {
    return this.lines.filter(({ level }) => level === 'warn')
  }

  get fetches(): number {
    return this.lines.filter(({ message }) => message === 'runbook repository fetched').length
  }

  get mirror(): string {
    return join(this.state, 'repositories', 'books.git')
  }

  /** Command lines of living processes that name this workshop's folder. */
  processes(): string[] {
    return commandLines().filter((line) => line.includes(this.folder))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map((repository) => repository.close()))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Command lines of all living processes. */
export function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
}
