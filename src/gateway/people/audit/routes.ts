import { auditContract } from '../../../contract/audit.ts'
import type { QueryOf } from '../../../contract/contract.ts'
import { USUAL_PAGE } from '../../../contract/words.ts'
import type { Handlers } from '../../handlers.ts'
import type { History } from '../../history/history.ts'
import type { AuditLog } from './audit-log.ts'
import type { AuditQuery } from './audit-rows.ts'
import { shownEntry } from './verification.ts'

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
        return { pages: { total: audit.head.sequence, page: 1, size: entries.length }, data: entries }
      }
      const place = { offset: (page - 1) * size, limit: size }
      const found = history.read((tables) => tables.audit.find(filters(query), place))
      const data = found.entries.map(shownEntry)
      return { pages: { total: found.total, page, size: data.length }, data }
    },
    head: () => audit.head,
  }
}

function filters(query: QueryOf<typeof auditContract.list>): AuditQuery {
  return {
    actor: query.actor_subject ?? query.actor_email,
    resourceType: query.resource_type,
    action: query.action,
    httpMethod: query.http_method,
    httpPath: query.http_path,
    clientIp: query.client_ip,
    httpStatus: query.http_status,
    outcome: query.outcome,
    createdAfter: query.created_after,
    createdBefore: query.created_before,
  }
}
