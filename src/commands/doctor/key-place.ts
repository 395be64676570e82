import path from 'node:path'
import type { AgentConfiguration } from '../../config.ts'
import type { Found } from '../../config/lookup.ts'
import { Lookup, type SettingsSource } from '../../config/lookup.ts'
import { pathBeside } from '../../config/path.ts'
import { ConfigurationProblems } from '../../config/problems.ts'
import { locateFile, readSettingsFile } from '../../config/settings-file.ts'
import { SETTINGS } from '../../config/table.ts'

/** Where the credential lies: in a file of its own, in the settings file, or in the environment. */
export type KeyPlace =
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'variable'; readonly name: string }

/** Of settings that have been accepted: what is wrong with them is said elsewhere. */
export function keyPlace({ kind }: AgentConfiguration['key'], source: SettingsSource): KeyPlace {
  const { flags, env } = source
  const location = locateFile(
    typeof flags['config'] === 'string' ? flags['config'] : undefined,
    env['RUNBOOK_AGENT_CONFIG'],
  )
  const problems = new ConfigurationProblems()
  const file = readSettingsFile(location, problems)
  const lookup = new Lookup(source, file, problems)
  const named = (found: Found<string>): KeyPlace => ({
    kind: 'file',
    path: pathBeside(found.value, found, file),
  })
  const given = (found: Found<unknown>): KeyPlace =>
    found.from === 'file' ? { kind: 'file', path: location.path } : { kind: 'variable', name: found.place }
  const keyFile = lookup.find(kind === 'svid' ? SETTINGS.spiffeKeyFile : SETTINGS.keyFile)
  const key = kind === 'svid' ? undefined : lookup.find(kind === 'token' ? SETTINGS.token : SETTINGS.key)
  if (keyFile !== undefined && kind !== 'token' && keyFile.rank > (key?.rank ?? -1)) return named(keyFile)
  if (key !== undefined) return given(key)
  return { kind: 'file', path: path.join(env['CREDENTIALS_DIRECTORY'] ?? '', 'hoop-key') }
}
