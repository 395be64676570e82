import type { AuditEntry } from '../../../contract/audit-entry.ts'
import type { AuditWords } from '../../../contract/audit-words.ts'
import type { Tables } from '../../store/room.ts'
import type { Tokens } from '../identities/tokens.ts'

type Details = Readonly<Record<string, unknown>>

/**
 * Finds the names of the objects that entries are about: what the gateway knows now, or else what the entry
 * says.
 */
export class ObjectNames {
  readonly #words: AuditWords
  readonly #tokens: Pick<Tokens, 'find'>

  constructor(words: AuditWords, tokens: Pick<Tokens, 'find'>) {
    this.#words = words
    this.#tokens = tokens
  }

  /** Returns an empty text if no name is known. */
  of(tables: Tables, entry: AuditEntry): string {
    const { resource_type: type, resource_id: id, request_payload_redacted: details } = entry
    const params = this.#words.route(entry)?.params ?? {}
    const given = details ?? {}
    switch (type) {
      case 'sessions':
        // Some routes name a connection instead of a session.
        return ofSession(tables, params['id'] ?? id) ?? ofRequest({ connection: params['name'], ...given })
      case 'batches':
        return ofBatch(tables, id) ?? ofRequest(given)
      case 'reviews':
        return ofReview(tables, id) ?? ''
      case 'tokens':
        return this.#ofToken(id) ?? textOf(given, 'name')
      case 'audit':
        return leftOut(entry, given)
      case 'gateway':
      case 'settings':
      case 'backups':
        return ''
      default:
        return ofNamed(id, params, given)
    }
  }

  #ofToken(id: string): string | undefined {
    const token = this.#tokens.find(id)
    return token && `${token.name} of ${token.user}`
  }
}

function ofSession({ sessions }: Tables, id: string): string | undefined {
  const found = sessions.called(id)
  return found && onConnection(found[0] ?? '', found[1])
}

function ofBatch({ batches }: Tables, id: string): string | undefined {
  const found = batches.called(id)
  return found && onConnections(found[0], found[1])
}

function ofReview(tables: Tables, id: string): string | undefined {
  const found = tables.reviews.reviewed(id)
  if (found === undefined) return undefined
  const [session, batch] = found
  return (batch === null ? undefined : ofBatch(tables, batch)) ?? ofSession(tables, session)
}

/** The facts of an execution that began no session, or whose session is removed. */
function ofRequest(given: Details): string {
  const runbook = textOf(given, 'runbook') || textOf(given, 'file_name')
  const { connections } = given
  if (Array.isArray(connections)) return onConnections(runbook, connections.length)
  return onConnection(runbook, textOf(given, 'connection') || textOf(given, 'connection_name'))
}

function onConnection(runbook: string, connection: string): string {
  return [runbook, connection && `on ${connection}`].filter(Boolean).join(' ')
}

function onConnections(runbook: string, count: number): string {
  return onConnection(runbook, count === 1 ? '1 connection' : `${count} connections`)
}

/** Objects whose id is their name. The entry of a creation may have the name only in the request. */
function ofNamed(id: string, params: Readonly<Record<string, string>>, given: Details): string {
  const names = [id, params['subject'], ...['email', 'subject', 'name'].map((of) => textOf(given, of))]
  const name = names.find(Boolean)
  return onConnection(name ?? '', params['connection'] ?? '')
}

/** Names whose entries are left out, with their number. */
function leftOut({ resource_id: name }: AuditEntry, given: Details): string {
  const count = given['left_out'] ?? given['missing_entries']
  return typeof count === 'number' ? [`${count} entries`, name && `of ${name}`].filter(Boolean).join(' ') : ''
}

function textOf(given: Details, name: string): string {
  const value = given[name]
  return typeof value === 'string' ? value : ''
}
