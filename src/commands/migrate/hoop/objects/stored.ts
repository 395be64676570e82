import { writeResource, type Resource } from '../../../../client/rest/resources.ts'
import { differences } from '../differences.ts'
import type { Kind, Migration, MigrationStep } from '../step.ts'

/** An object as it should be, and where hoop keeps those of its kind. */
export interface Wanted {
  readonly kind: Kind
  readonly name: string
  /** `/api/guardrails` */
  readonly path: string
  readonly present: Resource | undefined
  /** Below `path`, of the one that is there: its id or its name. */
  readonly key?: string | undefined
  /** The members that count. */
  readonly body: Resource
  /** Members that are sent beside them, when it is written. */
  readonly beside?: () => Resource
}

/**
 * The step for an object that hoop replaces as a whole: members that the settings say nothing about are sent as they
 * are.
 */
export function storedStep(wanted: Wanted, migration: Migration): MigrationStep {
  const { kind, name, present, body } = wanted
  migration.ids.set(kind, name, present?.['id'])
  const parts = present === undefined ? [] : differences(present, body)
  const action = present === undefined ? 'create' : parts.length === 0 ? 'same' : 'change'
  return { kind, name, action, parts, write: () => write(wanted, migration) }
}

async function write(wanted: Wanted, { account, ids }: Migration): Promise<void> {
  const { kind, name, path, present, key, body, beside } = wanted
  const whole = { ...present, ...body, ...beside?.() }
  const isNew = present === undefined
  const place = isNew || key === undefined ? path : `${path}/${encodeURIComponent(key)}`
  const stored = await writeResource(account, isNew ? 'POST' : 'PUT', place, whole)
  ids.set(kind, name, stored['id'])
}
