import { version } from '../version.ts'
import {
  broken,
  Examination,
  type Examined,
  type Finding,
  humanLine,
  humanSum,
  jsonReport,
  type Line,
  ok,
  warning,
  worst,
} from '../examination.ts'
import { type AgentConfiguration, loadAgentSettings } from '../../config.ts'
import { locateFile, type SettingsSource } from '../../config/settings-file.ts'
import type { Engine } from '../../runtime/engine.ts'
import {
  checkControlGroups,
  checkEngine,
  checkMemory,
  checkOomScore,
  checkOpenFiles,
  checkProcessOne,
  checkStopTime,
} from './machine.ts'
import {
  checkHttp2,
  type Http2Answer,
  checkClock,
  checkHealth,
  checkName,
  checkProxy,
  checkTcp,
  type ResolvedRoute,
  type Route,
  type Way,
} from './way.ts'
import { checkSignIn } from './sign-in.ts'
import { checkTls } from './tls.ts'
import { checkKey, checkKeyExposure, judgeKeyFile, keyPlace, checkVault, hasVault } from './credential.ts'
import { checkPolicy, checkPresidio, checkRedaction } from './policy.ts'
import { checkRuntimeFolder, checkStateFolder } from './folders.ts'
import { TrialProcess } from './trial.ts'
import { existsSync } from 'node:fs'
import { SettingsError } from '../../basics/settings/problems.ts'

type DoctorFlags = Readonly<Record<string, string | boolean | undefined>>

const EXIT_CODES = { ok: 0, warning: 1, broken: 2 } as const

/**
 * Tests everything that an agent needs, even while an agent runs.
 * @returns the exit code: 1 after warnings, 2 if something is broken
 */
export async function doctorCommand(flags: DoctorFlags): Promise<number> {
  const { env, stdout, stderr, argv } = process
  const isJson = flags['json'] === true
  const coloured = stdout.isTTY && !env['NO_COLOR']
  // An error is ignored: after the reader has closed the pipe (`| head`), the exit code is still needed.
  stdout.on('error', () => undefined)
  const lines: Line[] = []
  const tell = (line: Line) => {
    lines.push(line)
    if (!isJson) stdout.write(humanLine(line, coloured))
  }
  const source = { flags, env, stderrIsTty: stderr.isTTY }
  await using trial = new TrialProcess(argv[1] ?? '')
  await examine(CHECKS, { source, trial }, new Examination(tell))
  stdout.write(isJson ? jsonReport(lines, version) : `\n${humanSum(lines)}`)
  return EXIT_CODES[worst(lines.map(({ level }) => level))]
}

/** Facts that checks find out and later checks need. */
interface Facts {
  readonly settings: AgentConfiguration
  readonly key: Route
  readonly 'name resolution': ResolvedRoute
  readonly tcp: Way
  readonly proxy: Way
  readonly tls: Way
  readonly 'http/2': Http2Answer
  readonly engine: Engine['name']
}

interface Place {
  readonly source: SettingsSource
  /** Runs commands in the same way as an agent. */
  readonly trial: Pick<TrialProcess, 'ask'>
}

type FindingOf<Name> = Name extends keyof Facts ? Finding<Facts[Name]> : Finding
type Look<Name, Need> = (
  need: Need,
  place: Place,
  signal: AbortSignal,
) => FindingOf<Name> | Promise<FindingOf<Name>>

interface Check {
  readonly name: string
  /** The check whose fact this check needs. Without the fact, this check is skipped. */
  readonly needs: keyof Facts | undefined
  readonly look: (
    need: never,
    place: Place,
    signal: AbortSignal,
  ) => Finding<unknown> | Promise<Finding<unknown>>
  /** Whether the check is for this agent. Most agents, for example, have no Vault. */
  readonly isFor: (place: Place) => boolean
}

function check<Name extends string>(name: Name, look: Look<Name, undefined>): Check {
  return { name, needs: undefined, look, isFor: () => true }
}

function checkWith<Need extends keyof Facts, Name extends string>(
  needs: Need,
  name: Name,
  look: Look<Name, Facts[Need]>,
  isFor: Check['isFor'] = () => true,
): Check {
  return { name, needs, look, isFor }
}

/** Each check follows the check that it needs. No check opens a stream, or leaves files or processes. */
export const CHECKS: readonly Check[] = [
  check('version', () =>
    ok(`runbook-agent ${version}, Node ${process.version}, ${process.platform} ${process.arch}`),
  ),
  check('settings', (_, { source }) => checkSettings(source)),
  checkWith('settings', 'key', checkKey),
  checkWith('settings', 'key file', ({ key }, { source }) => judgeKeyFile(keyPlace(key, source), source.env)),
  checkWith('settings', 'key exposure', ({ key }, { source, trial }, signal) =>
    checkKeyExposure(keyPlace(key, source), () => trial.ask('environ', signal)),
  ),
  // The way to the gateway. Each step opens a new connection.
  checkWith('key', 'name resolution', checkName),
  checkWith('name resolution', 'tcp', (route, _, signal) => checkTcp(route, signal)),
  checkWith('tcp', 'proxy', (way, _, signal) => checkProxy(way, signal)),
  checkWith('proxy', 'tls', (way, _, signal) => checkTls(way, signal)),
  checkWith('tls', 'http/2', (way, _, signal) => checkHttp2(way, signal)),
  checkWith('http/2', 'health check', ({ way }) => checkHealth(way)),
  checkWith('http/2', 'clock', checkClock),
  checkWith('key', 'sign-in', (route) => checkSignIn(route)),
  checkWith(
    'settings',
    'vault',
    (settings, { source }, signal) => checkVault(settings, source.env, signal),
    ({ source }) => hasVault(source.env),
  ),
  checkWith('settings', 'runtime folder', (settings, { source }) => checkRuntimeFolder(settings, source.env)),
  checkWith('settings', 'state folder', checkStateFolder),
  checkWith('settings', 'policy', (settings, { source }) => checkPolicy(settings, source)),
  checkWith('settings', 'masking', checkPresidio),
  check('redaction', () => checkRedaction()),
  check('engine', checkEngine),
  check('command', (_, { trial }, signal) => trial.ask('command', signal)),
  check('terminal', (_, { trial }, signal) => trial.ask('terminal', signal)),
  check('process cleanup', (_, { trial }, signal) => trial.ask('cleanup', signal)),
  checkWith('settings', 'control groups', checkControlGroups),
  checkWith('settings', 'open files', (settings) => checkOpenFiles(settings)),
  checkWith('engine', 'oom score', (engine) => checkOomScore(engine)),
  checkWith('engine', 'process 1', (engine) => checkProcessOne(engine)),
  checkWith('settings', 'memory', (settings) => checkMemory(settings)),
  checkWith('settings', 'stop time', checkStopTime),
]

export async function examine(
  checks: readonly Check[],
  place: Place,
  examination: Examination,
): Promise<void> {
  const found = new Map<string, Examined<unknown>>([['', { level: 'ok', fact: '', obstacle: '' }]])
  for (const { name, needs = '', look } of checks.filter(({ isFor }) => isFor(place))) {
    const need = found.get(needs)
    if (need === undefined) throw new Error(`${name} comes before ${needs}`)
    const made = await examination.checkWith(need, name, (fact, signal) => look(fact as never, place, signal))
    found.set(name, made)
  }
}

/** These texts are omitted here, because the checks of the key say them later with more detail. */
const SAID_LATER = /chmod 600|prefer key-file/

/** Finds all problems because of which `start` cannot read its settings. */
export function checkSettings(source: SettingsSource): Finding<AgentConfiguration> {
  try {
    return accepted(loadAgentSettings(source), source)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return broken(`the settings cannot be used (${fileOf(source)})`, error.message)
  }
}

function accepted(settings: AgentConfiguration, source: SettingsSource): Finding<AgentConfiguration> {
  const warnings = settings.warnings.filter((one) => !SAID_LATER.test(one))
  const found = `the settings can be used (${fileOf(source)})`
  return warnings.length === 0 ? ok(found, settings) : warning(found, warnings.join('\n'), settings)
}

function fileOf(source: SettingsSource): string {
  const { path } = locateFile(source)
  return existsSync(path) ? path : 'no settings file'
}
