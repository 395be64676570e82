import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { type OwnerRules, placeOf } from '../../agent/policy/owner-policy.ts'
import type { AgentConfiguration } from '../../config.ts'
import type { PolicySettings } from '../../config/policy.ts'
import { locateFile, type SettingsSource } from '../../config/settings-file.ts'
import { examineOwnerRules } from '../policy/owner-rules.ts'
import { workingFolder } from '../start/services.ts'
import { type Finding, broken, ok, warning } from '../examination/examination.ts'

/** Tests the owner's policy: whether the rule files can be used, and whether commands could change them. */
export async function checkPolicy(
  { policy }: Pick<AgentConfiguration, 'policy'>,
  source: SettingsSource,
  isRoot = process.geteuid?.() === 0,
): Promise<Finding> {
  if (policy === undefined) return ok('no policy of its own (policy.*): the agent runs what a gateway allows')
  const { rules, problems } = await examineOwnerRules(policy)
  if (problems.length > 0) return broken('a rule file cannot be used', problems.join('\n'))
  const advice = [...missing(policy, source), ...(isRoot ? [] : writable(policy, source))]
  const found = summary(policy, rules)
  return advice.length === 0 ? ok(found) : warning(found, advice.join('\n'))
}

function summary(
  { inputRules, outputRules, programs, variables, connections, origins }: PolicySettings,
  rules: OwnerRules,
) {
  const parts = [
    rules.input === undefined ? undefined : `rules for input from ${inputRules.join(', ')}`,
    rules.output === undefined ? undefined : `rules for output from ${outputRules.join(', ')}`,
    programs && `programs ${programs.join(', ')}`,
    variables && `variables ${variables.join(', ')}`,
    connections && `connections ${connections.join(', ')}`,
    origins && `origins ${origins.join(', ')}`,
  ]
  return parts.filter((part) => part !== undefined).join('; ')
}

function missing({ programs = [] }: PolicySettings, { env }: SettingsSource): string[] {
  const search = { path: env['PATH'] ?? '', cwd: workingFolder() }
  return programs
    .filter((program) => placeOf(program, search) === undefined)
    .map((program) => `policy.programs: there is no ${program} here`)
}

/** Names the files that commands could change: they run as this user. */
function writable({ inputRules, outputRules }: PolicySettings, source: SettingsSource): string[] {
  const files = [...new Set([locateFile(source).path, ...inputRules, ...outputRules])]
  return files
    .filter((file) => isWritable(file) || isWritable(path.dirname(path.resolve(file))))
    .map(
      (file) =>
        `${file}: commands run as this user and could change it before the next start: give the file and its folder to root`,
    )
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK)
    return true
  } catch {
    return false
  }
}
