import { auditContract, type auditStreamContract } from '../../../contract/audit.ts'
import type { QueryOf } from '../../../contract/contract.ts'
import { USUAL_PAGE } from '../../../contract/words.ts'
import type { Handlers } from '../../handlers.ts'
import type { History } from '../../history/history.ts'
import type { AuditWords } from '../../../contract/audit-words.ts'
import type { Tokens } from '../identities/tokens.ts'
import type { AuditLog } from './audit-log.ts'
import type { ChainChecks } from './chain-checks.ts'
import { ObjectNames } from './object-names.ts'
import type { AuditQuery } from './audit-rows.ts'
import { shownEntry } from '../../../contract/audit-chain.ts'

interface AuditRouting {
  readonly history: History
  readonly audit: AuditLog
  readonly chainChecks: ChainChecks
  readonly tokens: Pick<Tokens, 'find'>
}

export function auditRoutes(
  { history, audit, chainChecks, tokens }: AuditRouting,
  words: AuditWords,
): Handlers<typeof auditContract> {
  const names = new ObjectNames(words, tokens)
  return {
    list: ({ query }) => {
      const { after, page = 1, page_size: size = USUAL_PAGE } = query
      if (after !== undefined) {
        const entries = history.read((tables) => tables.audit.after(after, size)).map(shownEntry)
        const pages = { total: audit.head.sequence, page: 1, size: entries.length }
        return { pages, data: entries, text_looked_at: null, views_left_out: null }
      }
      const asked = auditQuery(query)
      const place = { offset: (page - 1) * size, limit: size }
      return history.read((tables) => {
        const { entries, total, textLookedAt = null } = tables.audit.find(asked, place)
        const leftOut = asked.viewed === false ? tables.audit.count({ ...asked, viewed: true }) : null
        const data = entries.map((link) => {
          const entry = shownEntry(link)
          return { ...entry, did: words.did(entry), object_name: names.of(tables, entry) }
        })
        const pages = { total, page, size: data.length }
        return { pages, data, text_looked_at: textLookedAt, views_left_out: leftOut }
      })
    },
    head: () => audit.head,
    chain: ({ query }) => chainChecks.check(query.again),
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
