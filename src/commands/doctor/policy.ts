import { constants } from 'node:fs'
import path from 'node:path'
import { askHealth, presidioService, type PresidioService } from '../../agent/masking/presidio.ts'
import { resolveProgram } from '../../agent/policy/owner-policy.ts'
import type { OwnerRules } from '../../agent/policy/owner-policy.ts'
import { mayAccess } from '../../basics/files/access.ts'
import { oneLine } from '../../basics/text/printable.ts'
import type { AgentConfiguration } from '../../config.ts'
import type { PolicySettings } from '../../config/policy.ts'
import { locateFile, type SettingsSource } from '../../config/settings-file.ts'
import { askStatus } from '../../operations/status-socket.ts'
import { parseStatus } from '../../operations/status.ts'
import { type Finding, broken, ok, warning, skipped } from '../examination.ts'
import { examineOwnerRules } from '../policy/owner-rules.ts'
import { workingFolder } from '../start/services.ts'
import { socketPaths } from '../status.ts'

/** Checks the rule files, and whether commands could change these files. */
export async function checkPolicy(
  { policy }: Pick<AgentConfiguration, 'policy'>,
  source: SettingsSource,
): Promise<Finding> {
  if (policy === undefined)
    return ok('the agent has no policy (policy.*), so it runs everything that the gateway allows')
  const { rules, problems } = await examineOwnerRules(policy)
  if (problems.length > 0) return broken('a rule file cannot be used', problems.join('\n'))
  const isRoot = process.geteuid?.() === 0
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
    .filter((program) => resolveProgram(program, search) === undefined)
    .map((program) => `policy.programs: program ${program} not found in the PATH of the agent`)
}

/** Returns a problem for each file that this user can change or replace: commands run as this user. */
function writable({ inputRules, outputRules }: PolicySettings, source: SettingsSource): string[] {
  const files = [...new Set([locateFile(source).path, ...inputRules, ...outputRules])]
  return files
    .filter((file) => [file, path.dirname(path.resolve(file))].some((one) => mayAccess(one, constants.W_OK)))
    .map(
      (file) =>
        `${file}: commands run as this user and could change this file before the next start: give the file and its folder to root`,
    )
}

/** Checks Presidio. The gateway decides for each session whether the agent masks. */
export async function checkPresidio({ presidio }: Pick<AgentConfiguration, 'presidio'>): Promise<Finding> {
  if (presidio === undefined)
    return ok(
      'the gateway chooses the masking: the local engine (alcatraz), or Presidio at addresses that the gateway sends (mspresidio)',
    )
  const { analyzer, anonymizer, mode } = presidio
  const services = [presidioService('analyzer', analyzer), presidioService('anonymizer', anonymizer)]
  const problems = await Promise.all(services.map(tryService))
  const where = `Presidio at ${origin(analyzer)} and ${origin(anonymizer)} instead of the gateway's, mode ${mode}`
  const found = problems.filter((problem) => problem !== undefined)
  if (found.length === 0) return ok(`${where}: both answer`)
  const outcome =
    mode === 'strict' ? 'sessions with masking end with 254' : 'output of sessions is not masked'
  return warning(
    `${where}: ${found.join('; ')}`,
    `Start Presidio, or correct masking.analyzer and masking.anonymizer. Until then, ${outcome}`,
  )
}

async function tryService(service: PresidioService | undefined): Promise<string | undefined> {
  try {
    if (service !== undefined) await askHealth(service)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function origin(address: string): string {
  return new URL(address).origin
}

const ANSWER_MS = 2000
const MAX_SOCKETS = 64

/**
 * The secrets that look like ordinary words, by connection, or the reason why the agent did not report them.
 */
type Reply =
  | { readonly names: Readonly<Record<string, readonly string[]>> }
  | { readonly path: string; readonly reason: string }

/** Warns about secrets that look like ordinary words: their redaction hides harmless text. */
export async function checkRedaction(sockets: readonly string[] = socketPaths()): Promise<Finding> {
  const replies = await Promise.all(sockets.slice(0, MAX_SOCKETS).map(ordinaryAt))
  const known = replies.filter((reply) => reply !== undefined && 'names' in reply)
  if (known.length === 0) return skipped(whyUnknown(replies))
  const found = known
    .flatMap(({ names }) => Object.entries(names))
    .map(([connection, names]) => oneLine(`${names.join(', ')} of ${connection}`))
  if (found.length === 0) return ok('no used secret looks like an ordinary word')
  const advice = "Exempt harmless names with redact.names, for example '!PLACE'"
  return warning(
    `these secrets look like ordinary words, so harmless output is hidden, too: ${found.join('; ')}`,
    advice,
  )
}

function whyUnknown(replies: readonly (Reply | undefined)[]): string {
  const silent = replies.filter((reply) => reply !== undefined && 'reason' in reply)
  if (silent.length === 0)
    return 'no running agent on this machine reports secrets that look like ordinary words'
  const reasons = silent.map(({ path, reason }) => `${oneLine(path)}: ${reason}`)
  return `no agent answered which secrets look like ordinary words: ${reasons.join('; ')}`
}

/** @returns undefined if no agent uses this socket, or its version is too old */
async function ordinaryAt(path: string): Promise<Reply | undefined> {
  const answer = await askStatus(path, ANSWER_MS)
  if ('reason' in answer) return answer.isGone ? undefined : { path, reason: answer.reason }
  const names = parseStatus(answer.line)?.ordinarySecretNames
  return names && { names }
}
