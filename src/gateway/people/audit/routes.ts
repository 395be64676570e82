import { auditContract, type auditStreamContract } from '../../../contract/audit.ts'
import type { QueryOf } from '../../../contract/contract.ts'
import { USUAL_PAGE } from '../../../contract/words.ts'
import type { Handlers } from '../../handlers.ts'
import type { History } from '../../history/history.ts'
import type { AuditLog } from './audit-log.ts'
import type { AuditQuery } from './audit-rows.ts'
import { shownEntry } from '../../../contract/audit-chain.ts'

interface AuditRouting {
  readonly history: History
  readonly audit: AuditLog
}

export function auditRoutes({ history, audit }: AuditRouting): Handlers<typeof auditContract> {
  return {
    list: ({ query }) => {
      const { after, page = 1, page_size: size = USUAL_PAGE } = query
      if (after !== undefined) {
        const entries = history.read((tables) => tables.audit.after(after, size)).map(shownEntry)
        const pages = { total: audit.head.sequence, page: 1, size: entries.length }
        return { pages, data: entries, text_looked_at: null }
      }
      const place = { offset: (page - 1) * size, limit: size }
      const found = history.read((tables) => tables.audit.find(auditQuery(query), place))
      const data = found.entries.map(shownEntry)
      const pages = { total: found.total, page, size: data.length }
      return { pages, data, text_looked_at: found.textLookedAt ?? null }
    },
    head: () => audit.head,
  }
}

export function auditQuery(
  query: Omit<QueryOf<typeof auditStreamContract.exportLines>, 'format'>,
): AuditQuery {
  return {
    actorPart: query.actor,
    text: query.text,
    actor: query.actor_subject ?? query.actor_email,
    resourceType: query.resource_type,
    action: query.action,
    httpMethod: query.http_method,
    httpPath: query.http_path,
    clientIp: query.client_ip,
    httpStatus: query.http_status,
    outcome: query.outcome,
    viewed: query.viewed,
    createdAfter: query.created_after,
    createdBefore: query.created_before,
  }
}
