import type { Resource } from '../../../client/rest/resources.ts'

/**
 * Names of the members of `wanted` that are otherwise in `present`. hoop adds members of its own, writes nothing as
 * null, '' or [], and gives lists of names in any order.
 */
export function differences(present: Resource, wanted: Resource): string[] {
  return Object.keys(wanted).filter((name) => !isSame(present[name], wanted[name]))
}

function isSame(present: unknown, wanted: unknown): boolean {
  if (isNothing(present) || isNothing(wanted)) return isNothing(present) && isNothing(wanted)
  if (Array.isArray(wanted)) return Array.isArray(present) && isSameList(present, wanted)
  if (typeof wanted !== 'object' || wanted === null) return present === wanted
  return typeof present === 'object' && differences(present as Resource, wanted as Resource).length === 0
}

function isSameList(present: readonly unknown[], wanted: readonly unknown[]): boolean {
  return present.length === wanted.length && wanted.every((one, at) => isSame(present[at], one))
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  if (typeof value !== 'object') return false
  return Object.values(value).every(isNothing)
}

/** A list of names in alphabetical order, for comparisons. */
export function inNameOrder(value: unknown): string[] {
  const list = Array.isArray(value) ? value : []
  return list.filter((one): one is string => typeof one === 'string').toSorted()
}

/** The names of both lists: present names are never removed. */
export function joinedNames(present: unknown, wanted: readonly string[]): string[] {
  return [...new Set([...inNameOrder(present), ...wanted])].toSorted()
}

/** The id of a resource in paths; undefined when it has none. */
export function idOf(resource: Resource | undefined): string | undefined {
  const id = resource?.['id']
  return typeof id === 'string' ? id : undefined
}

export function nameOf(resource: Resource): string {
  return typeof resource['name'] === 'string' ? resource['name'] : ''
}

export function resourceNamed(resources: readonly Resource[], name: string): Resource | undefined {
  return resources.find((one) => nameOf(one) === name)
}
