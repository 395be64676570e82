import type { ForeseenAnswer } from '../../contract/foreseen-runbook.ts'
import type { GatewayUser } from '../identity.ts'
import { lockNames, type Locks } from '../locks/locks.ts'
import { refused } from '../refusals/request-refused.ts'
import type { ReviewFacts } from '../reviews/review-facts.ts'
import { reviewRule } from '../reviews/rules.ts'
import type { SessionRequest } from '../sessions/session-request.ts'
import type { ConnectionSettings, CurrentSettings } from '../settings/settings.ts'
import { unreviewedUses } from '../settings/unreviewed.ts'
import { reasonSetting } from './reason.ts'
import { checkRunbookAccess, needsConfirmation } from './runbook-access.ts'

interface Foreseeing {
  readonly locks: Locks
  readonly settings: CurrentSettings
  readonly decidersOf: DecidersOf
}

export type DecidersOf = ReturnType<ReviewFacts['decidersBefore']>

/** Tells what would happen to a runbook now, without reading or running it. @throws RequestRefused */
export function foreseen(
  { locks, settings, decidersOf }: Foreseeing,
  user: GatewayUser,
  connection: ConnectionSettings,
  file: string,
): ForeseenAnswer {
  if (!connection.access.runbooks) throw refused('not-permitted/use', { use: 'runbooks' })
  checkRunbookAccess(connection, connection.runbooks?.repository, file)
  const request = requestBefore(user, connection, 'client-api-runbooks', { runbookFile: file })
  const rule = reviewRule(request, user.groups, file)
  const { prompt_types: prompts, cmdb_types: objects } = connection.jira ?? {}
  return {
    connection: connection.name,
    review:
      rule === undefined
        ? null
        : {
            groups: [...rule.review.groups],
            minimum: rule.review.minimum,
            rule: rule.path ?? null,
            unreviewed: unreviewedUses(connection),
            ...decidersOf(request, rule),
          },
    jira_fields: [...(prompts?.items ?? []), ...(objects?.items ?? [])].map(
      ({ jira_field, label, description, required }) => ({ jira_field, label, description, required }),
    ),
    locks: lockNames(settings.value, request).map((name) => {
      const holder = locks.holder(name)
      return {
        name,
        holder: holder
          ? { session_id: holder.sid, user: holder.user, since: new Date(holder.since).toISOString() }
          : null,
        waiting: locks.waiting(name).length,
      }
    }),
    confirm: needsConfirmation(connection, file),
    client_input: connection.access.clientInput,
    reason: reasonSetting(connection, file) ?? null,
  }
}

/** Returns a request of which nothing is known yet but who makes it and where it would run. */
export function requestBefore(
  { name: user }: GatewayUser,
  connection: ConnectionSettings,
  origin: SessionRequest['origin'],
  labels: SessionRequest['labels'] = {},
): SessionRequest {
  return {
    ...{ user, connection, origin, labels, verb: 'exec', bringsInput: false },
    ...{ script: Buffer.alloc(0), envVars: new Map(), clientArgs: [], metadata: {} },
  }
}
