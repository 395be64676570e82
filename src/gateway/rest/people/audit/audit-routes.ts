import type { FastifyInstance } from 'fastify'
import type { AuditQuery } from '../../../people/audit/audit-rows.ts'
import { shownEntry } from '../../../people/audit/shown.ts'
import { HttpError } from '../../http/http-error.ts'
import { filledOption, momentIn, numberOption, pageSize, type Query } from '../../http/query.ts'
import type { RestServices } from '../../services.ts'

/** Deeper pages are reached with filters, or with `after`. */
const MAX_PAGE = 1000

/** What the audit log has, and its newest hash. */
export function auditRoutes(
  app: FastifyInstance,
  { history, audit }: Pick<RestServices, 'history' | 'audit'>,
): void {
  app.get<{ Querystring: Query }>('/api/audit/logs', ({ query }) => {
    const size = pageSize(query)
    const after = numberOption(query, 'after', Number.MAX_SAFE_INTEGER, 0)
    if (after !== undefined) {
      const entries = history.read((tables) => tables.audit.after(after, size)).map(shownEntry)
      return { pages: { total: audit.head.sequence, page: 1, size: entries.length }, data: entries }
    }
    const page = numberOption(query, 'page', MAX_PAGE) ?? 1
    const place = { offset: (page - 1) * size, limit: size }
    const asked = filters(query)
    const found = history.read((tables) => tables.audit.find(asked, place))
    const data = found.entries.map(shownEntry)
    return { pages: { total: found.total, page, size: data.length }, data }
  })

  app.get('/api/audit/head', () => audit.head)
}

function filters(query: Query): AuditQuery {
  return {
    actor: filledOption(query, 'actor_subject') ?? filledOption(query, 'actor_email'),
    resourceType: filledOption(query, 'resource_type'),
    action: filledOption(query, 'action'),
    httpMethod: filledOption(query, 'http_method'),
    httpPath: filledOption(query, 'http_path'),
    clientIp: filledOption(query, 'client_ip'),
    httpStatus: statusOf(query),
    outcome: outcomeOf(query),
    createdAfter: momentOf(query, 'created_after'),
    createdBefore: momentOf(query, 'created_before'),
  }
}

/** @throws HttpError 400 */
function statusOf(query: Query): number | undefined {
  const text = filledOption(query, 'http_status')
  if (text === undefined || /^\d{1,9}$/.test(text)) return text === undefined ? undefined : Number(text)
  throw new HttpError('invalid-request', 'http_status must be a valid integer')
}

/** @throws HttpError 400 */
function outcomeOf(query: Query): boolean | undefined {
  const text = filledOption(query, 'outcome')
  if (text === undefined) return undefined
  if (text === 'true' || text === 'false') return text === 'true'
  throw new HttpError('invalid-request', 'outcome must be true or false')
}

/** @throws HttpError 400 */
function momentOf(query: Query, name: string): Date | undefined {
  const text = filledOption(query, name)
  if (text === undefined) return undefined
  const date = momentIn(text)
  if (date !== undefined) return date
  throw new HttpError('invalid-request', `${name} must be a time as in RFC 3339`)
}
