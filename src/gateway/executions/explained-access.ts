import { andText, orText } from '../../basics/text/lists.ts'
import type { AccessExplanation, accessContract } from '../../contract/access.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { Handlers } from '../handlers.ts'
import type { GatewayUser } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import { RequestRefused } from '../refusals/request-refused.ts'
import { reviewRules, type ReviewRule } from '../reviews/rules.ts'
import {
  nativeProtocol,
  portRefusal,
  terminalRefusal,
  useOf,
  type SessionRequest,
} from '../sessions/session-request.ts'
import type { ConnectionSettings } from '../settings/settings.ts'

/** Together, these limits allow 2,500 cells in one answer. */
const MAX_USERS = 50
const MAX_CONNECTIONS = 50

type Uses = AccessExplanation['uses']
type UseName = keyof Uses
type Use = Uses[UseName]
type Approval = Use['approvals'][number]

const REQUESTS = {
  runbooks: { origin: 'client-api-runbooks', verb: 'exec' },
  exec: { origin: 'client-api', verb: 'exec' },
  connect: { origin: 'client', verb: 'connect' },
  port: { origin: 'client', verb: 'connect' },
} as const satisfies Readonly<Record<UseName, Pick<SessionRequest, 'origin' | 'verb'>>>

const WORDS = { runbooks: 'runbooks', exec: 'exec', connect: 'terminal', port: 'port' } as const

/** Operations about access. Admins and auditors see everybody's access. Other users see their own access. */
export function accessRoutes({ users }: { readonly users: Users }): Handlers<typeof accessContract> {
  return {
    list: ({ query: { user: wanted, connection: part = '', offset = 0, connection_offset: from = 0 } }) => {
      const people = users.all.filter(
        ({ name, groups }) => wanted === undefined || groups.includes(wanted) || isPart(wanted, name),
      )
      const connections = users.allConnections.filter(({ name }) => isPart(part, name))
      const shownUsers = people.slice(offset, offset + MAX_USERS)
      const shown = connections.slice(from, from + MAX_CONNECTIONS)
      return {
        connections: shown.map(({ name }) => name),
        users: shownUsers.map((user) => ({
          name: user.name,
          kind: user.kind,
          groups: user.groups,
          cells: shown.map((connection) => {
            const { level, text } = explainAccess(users, user, connection)
            return { level, text }
          }),
        })),
        more_users: Math.max(0, people.length - offset - shownUsers.length),
        more_connections: Math.max(0, connections.length - from - shown.length),
      }
    },
    explain: ({ user: asking, params: { name, connection: named } }) => {
      const user = asking.name === name || users.seesAll(asking) ? users.named(name) : undefined
      if (user === undefined) throw new RequestRefused('user-not-found', `user ${name} not found`)
      const known = users.seesAll(asking) ? users.allConnections : users.connections(asking)
      const connection = known.find((one) => one.name === named)
      if (connection === undefined)
        throw new RequestRefused('connection-not-found', hoopWords.connectionNotFound)
      return explainAccess(users, user, connection)
    },
  }
}

function isPart(part: string, name: string): boolean {
  return name.toLowerCase().includes(part.toLowerCase())
}

/** Explains the user's access by the same functions that decide requests. */
function explainAccess(users: Users, user: GatewayUser, connection: ConnectionSettings): AccessExplanation {
  const groups = users.reason(user, connection)
  const isRefused = groups === undefined ? unseenReason(user, connection) : undefined
  const reads = users.onlyReads(user) ? 'an auditor reads, and runs nothing' : undefined
  const use = (name: UseName) => useOn(connection, user, name, isRefused ?? reads)
  const uses = { runbooks: use('runbooks'), exec: use('exec'), connect: use('connect'), port: use('port') }
  const level = reads !== undefined && user.isActive ? 'reads' : levelOf(uses)
  const via = groups === undefined || groups.length > 0 ? (groups ?? []).join(', ') : 'everybody'
  const text = isRefused ?? [via, ...(reads === undefined ? usesText(uses, connection) : [reads])].join('; ')
  return { user: user.name, connection: connection.name, level, text, groups: groups ?? null, uses }
}

function unseenReason({ isActive }: GatewayUser, { access: { groups = [] } }: ConnectionSettings): string {
  return isActive ? `no access: only for ${orText(groups)}` : 'no access: the user is deactivated'
}

/** @param refusal reason that refuses every use; undefined if there is no such reason */
function useOn(
  connection: ConnectionSettings,
  user: GatewayUser,
  name: UseName,
  refusal: string | undefined,
): Use {
  const reason = refusal ?? obstacleOf(connection, name)
  if (reason !== '') return { allowed: false, reason, approvals: [] }
  const rules = reviewRules(connection, user.groups)
  // Rules with a path apply only to runbooks. If one path needs an approval, paths without approval are
  // listed, too.
  const own = name === 'runbooks' ? rules : rules.filter(({ path }) => path === undefined)
  const isNeeded = own.some(({ rule }) => rule !== undefined)
  const approvals = isNeeded ? own.map(({ path, rule }) => approvalOf(path?.text, rule)) : []
  return { allowed: true, reason: '', approvals }
}

/** Returns an empty text when the use is allowed. */
function obstacleOf(connection: ConnectionSettings, name: UseName): string {
  const use = useOf(REQUESTS[name])
  if (!connection.access[use]) return hoopWords.disabled(use)
  if (name === 'runbooks' && connection.runbooks === undefined) return hoopWords.runbooksNotEnabled
  if (name === 'port') return portRefusal(connection)
  return name === 'connect' ? terminalRefusal(connection) : ''
}

function approvalOf(path: string | undefined, rule: ReviewRule | undefined): Approval {
  const { groups = [], minimum = 0, forceGroups = [], selfApproval = true } = rule?.review ?? {}
  return {
    path: path ?? null,
    groups,
    minimum: Math.min(minimum, groups.length),
    force_groups: forceGroups,
    self_approval: selfApproval,
  }
}

function levelOf(uses: Uses): AccessExplanation['level'] {
  const all = Object.values(uses)
  if (all.every(({ allowed }) => !allowed)) return 'none'
  return all.some(({ approvals }) => approvals.length > 0) ? 'approval' : 'free'
}

/** Lists restrictions: `no terminal`, `exec needs approval of sre`. Ports are named only if the type has one. */
function usesText(uses: Uses, connection: ConnectionSettings): string[] {
  const isNative = nativeProtocol(connection) !== undefined
  const names = (Object.keys(WORDS) as UseName[]).filter((name) => isNative || name !== 'port')
  const off = names.filter((name) => !uses[name].allowed)
  if (off.length === names.length) return ['nothing may run on this connection']
  const needs = new Map<string, UseName[]>()
  for (const name of names.filter((one) => uses[one].approvals.length > 0)) {
    const text = approvalText(uses[name].approvals.at(-1))
    needs.set(text, [...(needs.get(text) ?? []), name])
  }
  const byPath = uses.runbooks.approvals.flatMap((approval) =>
    approval.path === null ? [] : [`runbooks ${approval.path} ${needText(2, approvalText(approval))}`],
  )
  const isByPath = uses.runbooks.approvals.some(({ path, groups }) => path !== null && groups.length > 0)
  const free = names.filter((name) => name !== 'runbooks' && uses[name].allowed && needsNone(uses[name]))
  return [
    ...[...needs].map(
      ([text, of]) => `${andText(of.map((name) => WORDS[name]))} ${needText(pluralOf(of), text)}`,
    ),
    ...byPath,
    ...(isByPath && free.length > 0
      ? [
          `${andText(free.map((name) => WORDS[name]))} ${needText(free.length, 'no approval although runbooks do')}`,
        ]
      : []),
    ...(off.length === 0 ? [] : [`no ${orText(off.map((name) => WORDS[name]))}`]),
  ]
}

function needsNone({ approvals }: Use): boolean {
  return approvals.every(({ groups }) => groups.length === 0)
}

function pluralOf(names: readonly UseName[]): number {
  return names.includes('runbooks') ? 2 : names.length
}

function needText(count: number, approval: string): string {
  return `${count > 1 ? 'need' : 'needs'} ${approval}`
}

function approvalText(approval: Approval | undefined): string {
  if (approval === undefined || approval.groups.length === 0) return 'no approval'
  const { groups, minimum } = approval
  if (minimum === groups.length) return `approval of ${andText(groups)}`
  return `approval of ${minimum === 1 ? orText(groups) : `${minimum} of ${groups.join(', ')}`}`
}
