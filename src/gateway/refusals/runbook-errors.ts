/** Why a runbook could not be read. The message goes to the caller as it is, so it never holds a credential. */
export abstract class RunbookError extends Error {
  /** What programs are told. */
  abstract readonly code: 'invalid-request' | 'invalid-runbook' | 'runbook-not-found' | 'repository-failed'
}

/** A file name that is refused: absolute, `..`, a link, a folder. */
export class RunbookPathError extends RunbookError {
  override readonly name = 'RunbookPathError'
  readonly code = 'invalid-request'
}

/** A `ref_hash` that is malformed, ambiguous, not a commit, or not on the configured branch. */
export class RunbookRefError extends RunbookError {
  override readonly name = 'RunbookRefError'
  readonly code = 'invalid-request'
}

/** A file that cannot be a template: too big, or not UTF-8. */
export class RunbookContentError extends RunbookError {
  override readonly name = 'RunbookContentError'
  readonly code = 'invalid-runbook'
}

/** No such file, or no such commit. */
export class RunbookNotFoundError extends RunbookError {
  override readonly name: string = 'RunbookNotFoundError'
  readonly code = 'runbook-not-found'
}

/** The file is there, but not in a commit. */
export class UncommittedError extends RunbookNotFoundError {
  override readonly name = 'UncommittedError'
}

/** The repository itself is the problem: its configuration, the network, git, the disk. */
export class RepositoryError extends RunbookError {
  override readonly name: string = 'RepositoryError'
  readonly code = 'repository-failed'
}

/** We ended a fetch because it took too long. Trying again at once would take as long again. */
export class FetchTimeoutError extends RepositoryError {
  override readonly name = 'FetchTimeoutError'
}

export class RepositorySizeError extends RepositoryError {
  override readonly name = 'RepositorySizeError'
}

/** The mirror lacks something that it must hold, or git cannot read it. It has to be made anew. */
export class MirrorDamagedError extends RepositoryError {
  override readonly name = 'MirrorDamagedError'
}
