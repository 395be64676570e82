import type { SessionId } from '../../wire/messages/message.ts'
import type { SystemRequest } from '../../wire/messages/system-request.ts'
import { endedEntry, ruleOf, type Ending } from '../running/ending.ts'
import type { SessionServices } from '../running/services.ts'
import { systemNameOf } from './answer.ts'

type Accounts = Pick<SessionServices, 'log' | 'record'>

/** Stands in when a request names no session. */
const NO_SESSION = { session: '', connection: '', connectionType: '', userEmail: '' }

/** Logs and journals that a request has come. */
export function accountOpening(request: SystemRequest, sid: SessionId, { log, record }: Accounts): void {
  const name = systemNameOf(request)
  const known = request.kind === 'hook' ? request : NO_SESSION
  const { session, connection, connectionType: type, userEmail } = known
  const of = session === '' ? {} : { session }
  log.info({ sid, request: name, ...of }, 'system request')
  const nobody = { origin: 'gateway', verb: name, userId: '' }
  record({ event: 'opened', sid, request: name, ...of, connection, type, userEmail, ...nobody })
}

/** Logs and journals its end, when nothing of it is left. */
export function accountEnd(
  request: SystemRequest,
  sid: SessionId,
  { ending, answerSent }: { readonly ending: Ending; readonly answerSent: boolean },
  { log, record }: Accounts,
): void {
  const name = systemNameOf(request)
  record({ ...endedEntry(sid, ending, answerSent), request: name })
  const { outcome, exitCode, durationMs, reason } = ending
  const rule = ruleOf(ending)
  const fields = { sid, request: name, outcome, exitCode, durationMs, reason, ...(rule && { rule }) }
  if (!answerSent) log.warn(fields, 'system request over, its answer was not sent')
  else log[outcome === 'exited' ? 'info' : 'warn'](fields, 'system request answered')
}
