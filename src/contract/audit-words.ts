import type { AuditEntry } from './audit-entry.ts'
import {
  AUDIT_VERBS,
  type Audited,
  type AuditAction,
  type AuditType,
  type AuditVerb,
  type OperationTable,
} from './contract.ts'

// The words of an entry follow from its request: the route's contract has them. So entries of older versions,
// and entries after a change of the words, read the same.

type Told = Pick<
  AuditEntry,
  'action' | 'resource_type' | 'http_method' | 'http_path' | 'request_payload_redacted' | 'outcome' | 'stage'
>

/** Words for entries that no request of a route has caused. */
const WITHOUT_ROUTE: Readonly<Partial<Record<`${AuditAction} ${AuditType}`, AuditVerb>>> = {
  'run sessions': 'ran an approved request',
  'sign-in users': 'signed in',
  'execute tools': 'ran a tool',
  'reload settings': 'reloaded the settings',
  'start gateway': 'started the gateway',
  'stop gateway': 'stopped the gateway',
  'gap audit': 'wrote entries of the audit log',
}

/** Words for entries whose route no longer exists. */
const ACTIONS: Readonly<Record<AuditAction, AuditVerb>> = {
  create: 'created',
  update: 'changed',
  delete: 'deleted',
  'sign-in': 'signed in',
  view: 'looked at',
  download: 'downloaded',
  execute: 'ran',
  run: 'ran',
  kill: 'stopped',
  decide: 'decided on',
  start: 'started',
  stop: 'stopped',
  reload: 'reloaded',
  gap: 'wrote',
}

interface AuditedRoute {
  readonly method: string
  readonly path: RegExp
  readonly params: number
  readonly audit: Audited
}

/** The route of an entry, with the parts of its path that are names or ids. */
interface FoundRoute {
  readonly audit: Audited
  readonly params: Readonly<Record<string, string>>
}

export class AuditWords {
  readonly #routes: readonly AuditedRoute[]

  constructor(operations: OperationTable) {
    this.#routes = Object.entries(operations)
      .flatMap(([route, { audit }]) => (audit === 'none' ? [] : [audited(route, audit)]))
      // A path without names comes first: /api/users/groups is no user.
      .sort((a, b) => a.params - b.params)
  }

  /** Returns what the user did, as the part of a sentence after the user's name. */
  did(entry: Told): string {
    const { outcome, stage } = entry
    const verb = this.#verb(entry)
    if (outcome && stage === 'done') return verb
    return `${outcome ? 'began' : 'tried'} to ${infinitive(verb)}`
  }

  /** Returns undefined for an entry that no request of a route has caused. */
  route({
    http_method: method,
    http_path: path,
  }: Pick<Told, 'http_method' | 'http_path'>): FoundRoute | undefined {
    // HEAD is GET without the body.
    const asked = method === 'HEAD' ? 'GET' : method
    for (const route of this.#routes) {
      const found = route.method === asked ? route.path.exec(path) : null
      if (found !== null) return { audit: route.audit, params: decoded(found.groups ?? {}) }
    }
    return undefined
  }

  #verb(entry: Told): string {
    const { action, resource_type: type, request_payload_redacted: details } = entry
    const verb = this.route(entry)?.audit.verb
    if (verb === undefined) {
      if (action === 'execute' && type === 'sessions') return sessionVerb(details ?? {})
      return WITHOUT_ROUTE[`${action} ${type}`] ?? `${ACTIONS[action]} ${type.replace('_', ' ')}`
    }
    if (typeof verb === 'string') return verb
    const value = details?.[verb.field]
    return Object.entries(verb.values).find(([one]) => one === value)?.[1] ?? verb.otherwise
  }
}

/** @param route method and path in fastify's form */
function audited(route: string, audit: Audited): AuditedRoute {
  const [method = '', path = ''] = route.split(' ')
  const names = path.match(/:\w+/g) ?? []
  return {
    method,
    path: new RegExp(`^${path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`),
    params: names.length,
    audit,
  }
}

function decoded(params: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodedPart(value)]))
}

/** A long path is cut, perhaps within an escape. */
function decodedPart(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** The entry of a session is written with the session, which has begun or waits for approval. */
function sessionVerb({
  runbook,
  verb,
  waits_for_approval: waits,
}: Readonly<Record<string, unknown>>): AuditVerb {
  if (verb === 'connect') return waits === true ? 'asked to open a terminal' : 'opened a terminal'
  const what = typeof runbook === 'string' ? 'a runbook' : 'a script'
  return waits === true ? `asked to run ${what}` : `ran ${what}`
}

function infinitive(verb: string): string {
  const past = Object.entries(AUDIT_VERBS)
    .filter(([past]) => verb === past || verb.startsWith(`${past} `))
    .toSorted(([a], [b]) => b.length - a.length)[0]
  return past === undefined ? verb : past[1] + verb.slice(past[0].length)
}
