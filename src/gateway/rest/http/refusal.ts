import { BatchRefused, ConnectionsRefused } from '../../batches/batch-refused.ts'
import { NoRoomError, HistoryError } from '../../store/errors.ts'
import { BudgetSpent } from '../../people/identities/budgets.ts'
import { TicketRefused } from '../../jira/ticket-refused.ts'
import { SignInRefused } from '../../people/sign-in/refused.ts'
import { LockBusy } from '../../locks/locks.ts'
import { RequestRefused } from '../../refusals/request-refused.ts'
import { ScheduleBusy } from '../../schedules/schedules.ts'
import { GatewayDraining, TooMuchAtOnce } from '../../sessions/sessions.ts'
import { HttpError, RefusalsError } from './http-error.ts'

/** What the parts of the gateway refuse, as a request is told of it. Undefined for a bug. */
export function requestRefusal(error: Error): HttpError | undefined {
  const { message } = error
  if (error instanceof HttpError) return error
  if (error instanceof TooMuchAtOnce) return new HttpError('too-much-at-once', message)
  if (error instanceof GatewayDraining) return new HttpError('gateway-draining', message)
  if (error instanceof BudgetSpent) return new HttpError('budget-spent', message)
  if (error instanceof ConnectionsRefused) return new RefusalsError(error)
  if (error instanceof BatchRefused) return new HttpError(error.code, message)
  if (error instanceof LockBusy) return new HttpError('lock-busy', message)
  if (error instanceof ScheduleBusy) return new HttpError('schedule-busy', message)
  if (error instanceof RequestRefused) return new HttpError(error.code, message, error.status)
  if (error instanceof TicketRefused || error instanceof SignInRefused)
    return new HttpError(error.code, message)
  if (error instanceof NoRoomError) return new HttpError('history-no-room', message)
  if (error instanceof HistoryError) return new HttpError('history-failed', message)
  return undefined
}
