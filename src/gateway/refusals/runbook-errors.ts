import type { HttpCode } from '../../contract/statuses.ts'

/** Kinds of errors, and the codes that callers get. */
const CODES = {
  /** A file name that is refused: absolute, `..`, a link, a folder. */
  path: 'invalid-request',
  /** A `ref_hash` that is malformed, ambiguous, not a commit, or not on the configured branch. */
  ref: 'invalid-request',
  /** A file that cannot be a template: too big, or not UTF-8. */
  content: 'invalid-runbook',
  /** The file or the commit does not exist. */
  missing: 'runbook-not-found',
  /** The file exists, but is not committed. */
  uncommitted: 'runbook-not-found',
  /** A failure of the repository: its configuration, the network, git or the disk. */
  repository: 'repository-failed',
  /** A fetch took too long and was ended. An immediate retry would take as long again. */
  timeout: 'repository-failed',
  /** The repository is larger than allowed. */
  size: 'repository-failed',
  /**
   * The mirror is damaged: objects are missing, or git cannot read it. The mirror has to be created again.
   */
  damaged: 'repository-failed',
} as const satisfies Record<string, HttpCode>

type Fault = keyof typeof CODES

/**
 * A runbook could not be read. The message is sent to callers unchanged, so it never contains a credential.
 */
export class RunbookError extends Error {
  override readonly name = 'RunbookError'
  readonly fault: Fault

  constructor(fault: Fault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }

  get code(): (typeof CODES)[Fault] {
    return CODES[this.fault]
  }
}

export function hasFault(error: unknown, ...faults: readonly Fault[]): error is RunbookError {
  return error instanceof RunbookError && faults.includes(error.fault)
}

/** Tells whether the repository itself has failed, and not the request. */
export function isRepositoryFault(error: unknown): error is RunbookError {
  return error instanceof RunbookError && error.code === 'repository-failed'
}
