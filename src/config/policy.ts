import { openToOthers } from '../basics/files/private-path.ts'
import type { Found, Lookup } from './settings-file.ts'
import { SETTINGS } from './table.ts'

/** Limits that the owner of the server sets. Paths are absolute. */
export interface PolicySettings {
  readonly inputRules: readonly string[]
  readonly outputRules: readonly string[]
  /** Undefined allows all programs. This also holds for variables, connections and origins. */
  readonly programs: readonly string[] | undefined
  readonly variables: readonly string[] | undefined
  readonly connections: readonly string[] | undefined
  readonly origins: readonly string[] | undefined
}

/** Returns undefined when no setting of the policy is given. */
export function findPolicy(lookup: Lookup, warnings: string[]): PolicySettings | undefined {
  const found = {
    inputRules: lookup.find(SETTINGS.policyInputRules),
    outputRules: lookup.find(SETTINGS.policyOutputRules),
    programs: lookup.find(SETTINGS.policyPrograms),
    variables: lookup.find(SETTINGS.policyVariables),
    connections: lookup.find(SETTINGS.policyConnections),
    origins: lookup.find(SETTINGS.policyOrigins),
  }
  const given = Object.values(found).filter((one) => one !== undefined)
  if (given.length === 0) return undefined
  const inFile = given.find(({ from }) => from === 'file')
  const writable = inFile && openToOthers('write', lookup.file.path)
  if (writable !== undefined)
    warnings.push(`${inFile?.place}: ${writable.what}, so they can remove the policy: ${writable.advice}`)
  return {
    inputRules: pathsIn(lookup, found.inputRules),
    outputRules: pathsIn(lookup, found.outputRules),
    programs: found.programs?.value,
    variables: found.variables?.value,
    connections: found.connections?.value,
    origins: found.origins?.value,
  }
}

function pathsIn(lookup: Lookup, found: Found<readonly string[]> | undefined): readonly string[] {
  return found?.value.map((value) => lookup.pathIn({ from: found.from, value })) ?? []
}
