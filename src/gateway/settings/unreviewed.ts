import type { Path, Problems } from '../../basics/settings/problems.ts'
import { andText } from '../../basics/text/lists.ts'
import { isNativeProtocol } from '../../wire/messages/native.ts'
import { connectionType } from './connections.ts'
import type { ConnectionShape } from './schema.ts'
import type { ConnectionSettings } from './settings.ts'

// A rule for runbooks by path holds neither scripts nor terminals of its connection: with a script, a user can
// do what the runbook does. So the settings have to say which of these may be used without approval.

const MAX_PATHS = 3

/** Refuses a connection whose runbooks need approval, if `access` leaves open whether scripts and terminals may run without. */
export function checkUnreviewed(shape: ConnectionShape, problems: Problems, path: Path): void {
  const { review, access, runbooks } = shape
  const paths = (runbooks?.review ?? []).flatMap((rule) => (rule.groups.length > 0 ? [rule.path.text] : []))
  if (review || paths.length === 0) return
  const { exec, connect } = access
  const isConnectOpen = isUnset(connect) && exec !== false && access['client-escapes'] !== 'block'
  const open = [...(isUnset(exec) ? ['exec'] : []), ...(isConnectOpen ? ['connect'] : [])]
  if (open.length === 0) return
  const lines = open.map((use) => `${use}: false`).join(', ')
  const what = open.length > 1 ? 'them' : 'it'
  problems.add(
    [...path, 'access'],
    `runbooks of ${pathsText(paths)} need approval; ${open.join(' and ')} would not: write access: { ${lines} }, or set ${what} to true, or add a review of the connection`,
  )
}

/**
 * Returns a warning for each connection whose settings say that scripts or terminals need no approval although
 * runbooks do.
 */
export function unreviewedWarnings(connections: readonly ConnectionSettings[], problems: Problems): string[] {
  return connections.flatMap((connection, i) => {
    const path = ['connections', i, 'access']
    const found = problems.has(path) ? '' : unreviewedUses(connection)
    return found === '' ? [] : [`${problems.placeOf(path)} connection ${connection.name}: ${found}`]
  })
}

/** Says which uses need no approval although runbooks do. Returns an empty text if there are none. */
export function unreviewedUses({ type, subtype, review, access, runbooks }: ConnectionSettings): string {
  const paths = (runbooks?.reviews ?? []).flatMap((rule) => (rule.review ? [rule.path.text] : []))
  if (review !== undefined || paths.length === 0) return ''
  const connects = isNativeProtocol(connectionType(type, subtype)) ? ['terminals', 'ports'] : ['terminals']
  const open = [...(access.exec ? ['exec'] : []), ...(access.connect ? connects : [])]
  if (open.length === 0) return ''
  const need = open.length === 1 && access.exec ? 'needs' : 'need'
  return `${andText(open)} ${need} no approval although runbooks of ${pathsText(paths)} do`
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === null
}

function pathsText(paths: readonly string[]): string {
  return `${paths.slice(0, MAX_PATHS).join(', ')}${paths.length > MAX_PATHS ? ', ...' : ''}`
}
