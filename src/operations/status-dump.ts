import type { Logger } from '../basics/logger.ts'
import type { StatusSource } from './status.ts'

/** For SIGUSR2: everything the agent knows of itself as one line of its log. */
export function dumpStatus(log: Logger, status: StatusSource): void {
  log.info({ status: status() }, 'status')
}
