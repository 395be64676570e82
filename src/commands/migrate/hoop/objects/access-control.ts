import { writeResource, type Resource } from '../../../../client/rest/resources.ts'
import type { ConnectionSettings } from '../../../../gateway/settings/settings.ts'
import { resourceNamed, inNameOrder } from '../differences.ts'
import { sameStep, type Migration, type MigrationStep } from '../step.ts'

const PLUGIN = 'access_control'

/** Whether hoop keeps connections from those who are in none of their groups, or will when the steps are done. */
export function hasAccessControl({ present, options }: Migration): boolean {
  return present.accessControl !== undefined || options.accessControl
}

/** Before the connections: from then on a new one is for admins only, until it has its groups. */
export function accessControlSteps(migration: Migration): MigrationStep[] {
  const { account, present, carried } = migration
  const isNeeded = carried.connections.some(({ access }) => access.groups !== undefined)
  if (!isNeeded || !hasAccessControl(migration)) return []
  const step = sameStep('access control', PLUGIN)
  if (present.accessControl !== undefined) return [step]
  const write = async () => {
    await writeResource(account, 'POST', '/api/plugins', { name: PLUGIN, connections: [] })
  }
  return [{ ...step, action: 'create', write }]
}

/** The groups of each connection that is not for everybody. */
export function groupSteps(migration: Migration): MigrationStep[] {
  if (!hasAccessControl(migration)) return []
  return migration.carried.connections.flatMap(({ name, access: { groups } }) =>
    groups === undefined ? [] : [groupStep(name, groups, migration)],
  )
}

function groupStep(name: string, groups: readonly string[], migration: Migration): MigrationStep {
  const { account, ids, present } = migration
  const listed = present.accessControl?.['connections']
  const found = resourceNamed(Array.isArray(listed) ? (listed as Resource[]) : [], name)
  const wanted = groups.toSorted()
  const isSame = found !== undefined && inNameOrder(found['config']).join('\n') === wanted.join('\n')
  const step = sameStep('groups', name)
  if (isSame) return step
  const write = async () => {
    const place = `/api/plugins/${PLUGIN}/conn/${ids.made('connection', name)}`
    await writeResource(account, 'PUT', place, { config: wanted })
  }
  return { ...step, action: found === undefined ? 'create' : 'change', parts: wanted, write }
}

/** For everybody here; where hoop's access control is on, for admins only until somebody gives it groups. */
export function isForAdminsOnly({ access }: ConnectionSettings, migration: Migration): boolean {
  return access.groups === undefined && hasAccessControl(migration)
}
