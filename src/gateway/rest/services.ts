import type { Executions } from '../executions.ts'
import type { History } from '../history/history.ts'
import type { Logger } from '../../basics/logger.ts'
import type { RunbookRepository } from '../runbooks/repository.ts'
import type { Sessions } from '../sessions.ts'
import type { Access } from './access.ts'

/** A configured repository under both of its names. */
export interface NamedRepository {
  readonly name: string
  /** hoop's own key for it: `<host>/<path without .git>`. */
  readonly key: string
  readonly repository: RunbookRepository
}

/** What the routes share. */
export interface RestServices {
  readonly access: Access
  readonly executions: Executions
  readonly sessions: Sessions
  readonly history: History
  readonly repositories: readonly NamedRepository[]
  readonly log: Logger
}
