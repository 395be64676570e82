import { andText, groupsText, orText } from '../../basics/text/lists.ts'
import { hasParts } from '../../basics/text/wildcard.ts'
import type { AccessAmount, AccessExplanation, accessContract } from '../../contract/access.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { Handlers } from '../handlers.ts'
import type { GatewayUser } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import { reviewRules, type PathRule } from '../reviews/rules.ts'
import { isInFolder } from '../runbooks/catalog.ts'
import {
  nativeProtocol,
  portObstacle,
  terminalObstacle,
  useOf,
  type SessionRequest,
} from '../sessions/session-request.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import type { PathPattern } from '../settings/words.ts'
import { reasonSetting } from './reason.ts'

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

const WORDS = { runbooks: 'runbooks', exec: 'scripts', connect: 'terminal', port: 'port' } as const

/** Operations about access. Admins and auditors see everybody's access. Other users see their own access. */
export function accessRoutes({ users }: { readonly users: Users }): Handlers<typeof accessContract> {
  return {
    list: ({
      query: { by, user: wanted, connection: part = '', offset = 0, connection_offset: from = 0 },
    }) => {
      const all = by === 'groups' ? groupsOf(users) : users.all.map((user) => ({ user, members: null }))
      const people = all.filter(
        ({ user: { name, groups } }) =>
          wanted === undefined || groups.includes(wanted) || isPart(wanted, name),
      )
      const connections = users.allConnections.filter(({ name }) => isMeant(part, name))
      const shownUsers = people.slice(offset, offset + MAX_USERS)
      const shown = connections.slice(from, from + MAX_CONNECTIONS)
      return {
        connections: shown.map(({ name }) => name),
        users: shownUsers.map(({ user, members }) => ({
          name: user.name,
          kind: members === null ? user.kind : 'group',
          groups: members === null ? user.groups : [],
          members,
          cells: shown.map((connection) => {
            const { level, text, uses } = explainAccess(users, user, connection)
            return { level, text, uses: amountsOf(uses) }
          }),
        })),
        more_users: Math.max(0, people.length - offset - shownUsers.length),
        more_connections: Math.max(0, connections.length - from - shown.length),
      }
    },
    explain: ({ user: asking, params: { name, connection: named }, query: { runbook } }) => {
      const user = asking.name === name || users.seesAll(asking) ? users.named(name) : undefined
      if (user === undefined) throw refused('user-not-found/named', { name })
      const known = users.seesAll(asking) ? users.allConnections : users.connections(asking)
      const connection = known.find((one) => one.name === named)
      if (connection === undefined) throw refused('connection-not-found/any')
      return explainAccess(users, user, connection, runbook)
    },
  }
}

/** Groups of users and of connections, each as a user with this group alone, so that the same rules decide. */
function groupsOf(users: Users): { user: GatewayUser; members: number }[] {
  const members = new Map<string, number>()
  for (const { access } of users.allConnections)
    for (const group of access.groups ?? []) members.set(group, 0)
  for (const group of users.all.flatMap(({ groups }) => groups))
    members.set(group, (members.get(group) ?? 0) + 1)
  return [...members]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => ({
      user: { name, kind: 'person', groups: [name], isActive: true, isDeclared: true },
      members: count,
    }))
}

function isPart(part: string, name: string): boolean {
  return name.toLowerCase().includes(part.toLowerCase())
}

/** Without a `*`, the text is a part of the name. With one, it is the whole name, and `*` stands for any text. */
function isMeant(wanted: string, name: string): boolean {
  if (!wanted.includes('*')) return isPart(wanted, name)
  return hasParts(wanted.toLowerCase().split('*'), name.toLowerCase())
}

/**
 * Explains the user's access by the same functions that decide requests.
 * @param file path of a runbook; undefined: all runbooks
 */
function explainAccess(
  users: Users,
  user: GatewayUser,
  connection: ConnectionSettings,
  file?: string,
): AccessExplanation {
  const groups = users.reason(user, connection)
  const general = generalRefusal(users, user, connection)
  const use = (name: UseName) =>
    useOn({ connection, user, name, general, ...(name === 'runbooks' && { file }) })
  const uses = { runbooks: use('runbooks'), exec: use('exec'), connect: use('connect'), port: use('port') }
  const isReader = users.onlyReads(user) && user.isActive
  const level = isReader ? 'reads' : levelOf(uses)
  const via = groups === undefined || groups.length > 0 ? (groups ?? []).join(', ') : 'everybody'
  const rest = general === undefined ? usesText(uses, connection) : [general.reason]
  const text = groups === undefined ? (general?.reason ?? '') : [via, ...rest].join('; ')
  return { user: user.name, connection: connection.name, level, text, groups: groups ?? null, uses }
}

interface Refusal {
  readonly reason: string
  readonly setting: string
}

/** Returns what refuses every use, or undefined. */
function generalRefusal(
  users: Users,
  user: GatewayUser,
  connection: ConnectionSettings,
): Refusal | undefined {
  const { name, isActive } = user
  if (!isActive) return { reason: 'no access: the user is deactivated', setting: `users[${name}]` }
  if (users.reason(user, connection) === undefined) {
    const reason = `no access: only for ${orText(connection.access.groups ?? [])}`
    return { reason, setting: settingOf(connection, 'access.groups') }
  }
  if (!users.onlyReads(user)) return undefined
  return { reason: 'an auditor reads, and runs nothing', setting: `users[${name}].groups` }
}

function settingOf({ name }: ConnectionSettings, setting: string): string {
  return `connections[${name}].${setting}`
}

interface AskedUse {
  readonly connection: ConnectionSettings
  readonly user: GatewayUser
  readonly name: UseName
  readonly general: Refusal | undefined
  readonly file?: string | undefined
}

function useOn({ connection, user, name, general, file }: AskedUse): Use {
  const refusal = general ?? obstacleOf(connection, name, file)
  if (refusal !== undefined) {
    const { reason, setting } = refusal
    const verdict = `No: ${reason}. ${setting} decides.`
    return { allowed: false, reason, approvals: [], reason_setting: null, setting, verdict }
  }
  const rules = reviewRules(connection, user.groups)
  const own = rules.filter(({ path }) => path === undefined || (name === 'runbooks' && isFor(path, file)))
  // The first rule that fits decides. Without a file, each of them decides about some runbooks. If one path
  // needs an approval, paths without approval are listed, too.
  const deciding = file === undefined ? own : own.slice(0, 1)
  const isNeeded = deciding.some(({ rule }) => rule !== undefined)
  const approvals = isNeeded ? deciding.map((rule) => approvalOf(connection, rule)) : []
  const reasonNeed = reasonSetting(connection, name === 'runbooks' ? file : undefined) ?? null
  const [only, ...others] = approvals
  const setting =
    others.length > 0
      ? null
      : (only?.setting ?? freeSetting(connection, deciding.length === 1 ? deciding[0] : undefined))
  const verdict = [
    others.length > 0
      ? byPathText(approvals)
      : only === undefined
        ? 'Yes, at once.'
        : `After ${approvalText(only)}.`,
    ...(setting === null ? [] : [`${setting} decides.`]),
    ...(reasonNeed === 'required' ? ['A reason is required.'] : []),
  ].join(' ')
  return { allowed: true, reason: '', approvals, reason_setting: reasonNeed, setting, verdict }
}

function isFor(path: PathPattern, file: string | undefined): boolean {
  return file === undefined || path.isFor(file)
}

/** Why the use needs no approval, or why the user may see the connection. */
function freeSetting(connection: ConnectionSettings, rule: PathRule | undefined): string | null {
  const { access, review } = connection
  if (rule?.path !== undefined) return settingOf(connection, `runbooks.review[${rule.path.text}]`)
  if (review !== undefined) return settingOf(connection, 'review.skip-groups')
  return access.groups === undefined ? null : settingOf(connection, 'access.groups')
}

function byPathText(approvals: readonly Approval[]): string {
  const parts = approvals.map(
    (approval) => `${approval.path ?? 'others'} ${needText(1, approvalText(approval))}`,
  )
  return `Each runbook has its rule: ${parts.join('; ')}.`
}

/** Returns what the connection refuses to everybody, or undefined. */
function obstacleOf(connection: ConnectionSettings, name: UseName, file?: string): Refusal | undefined {
  const { access, runbooks } = connection
  const use = useOf(REQUESTS[name])
  if (!access[use])
    return { reason: hoopWords.disabled(use), setting: settingOf(connection, `access.${use}`) }
  if (name === 'runbooks') {
    const setting = settingOf(connection, 'runbooks')
    if (runbooks === undefined) return { reason: hoopWords.runbooksNotEnabled, setting }
    if (file === undefined || isInFolder(file, runbooks.path)) return undefined
    return { reason: `only runbooks in ${runbooks.path} run here`, setting: `${setting}.path` }
  }
  const obstacle =
    name === 'port' ? portObstacle(connection) : name === 'connect' ? terminalObstacle(connection) : undefined
  return obstacle && { ...obstacle, setting: settingOf(connection, obstacle.setting) }
}

function approvalOf(connection: ConnectionSettings, { path, rule }: PathRule): Approval {
  const { groups = [], minimum = 0, forceGroups = [], selfApproval = true } = rule?.review ?? {}
  return {
    path: path?.text ?? null,
    groups,
    minimum: Math.min(minimum, groups.length),
    force_groups: forceGroups,
    self_approval: selfApproval,
    setting: settingOf(connection, path === undefined ? 'review' : `runbooks.review[${path.text}]`),
  }
}

function amountsOf(uses: Uses): Readonly<Record<UseName, AccessAmount>> {
  const { runbooks, exec, connect, port } = uses
  return {
    runbooks: amountOf(runbooks),
    exec: amountOf(exec),
    connect: amountOf(connect),
    port: amountOf(port),
  }
}

function amountOf({ allowed, approvals }: Use): AccessAmount {
  if (!allowed) return 'no'
  const needing = approvals.filter(({ groups }) => groups.length > 0).length
  return needing === 0 ? 'free' : needing === approvals.length ? 'approval' : 'some'
}

function levelOf(uses: Uses): AccessExplanation['level'] {
  const all = Object.values(uses)
  if (all.every(({ allowed }) => !allowed)) return 'none'
  return all.some(({ approvals }) => approvals.length > 0) ? 'approval' : 'free'
}

/** Lists restrictions: `no terminal`, `scripts need approval by sre`. Ports are named only if the type has one. */
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
          `${andText(free.map((name) => WORDS[name]))} ${needText(pluralOf(free), 'no approval although runbooks do')}`,
        ]
      : []),
    ...(off.length === 0 ? [] : [`no ${orText(off.map((name) => WORDS[name]))}`]),
  ]
}

function needsNone({ approvals }: Use): boolean {
  return approvals.every(({ groups }) => groups.length === 0)
}

function pluralOf(names: readonly UseName[]): number {
  return names.includes('runbooks') || names.includes('exec') ? 2 : names.length
}

function needText(count: number, approval: string): string {
  return `${count > 1 ? 'need' : 'needs'} ${approval}`
}

function approvalText(approval: Approval | undefined): string {
  if (approval === undefined || approval.groups.length === 0) return 'no approval'
  return `approval by ${groupsText(approval.groups, approval.minimum)}`
}
