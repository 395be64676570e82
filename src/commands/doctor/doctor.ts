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
} from '../examination/examination.ts'
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
} from './machine.ts'
import { checkHttp2 } from './gateway/http2.ts'
import { checkClock, checkHealth, checkName, checkProxy, checkTcp } from './gateway/first-steps.ts'
import { checkTls } from './gateway/tls.ts'
import type { Route } from './gateway/way.ts'
import { checkKey, checkKeyExposure, judgeKeyFile, keyPlace } from './credential.ts'
import { checkPolicy } from './policy.ts'
import { checkPresidio, checkRedaction } from './masking.ts'
import { checkRuntimeFolder, checkStateFolder } from './folders.ts'
import { checkStopTime } from './stop-time.ts'
import { checkVault, hasVault } from './vault.ts'
import { TrialProcess } from './trial/trial.ts'
import { existsSync } from 'node:fs'
import { SettingsError } from '../../basics/settings/problems.ts'

/** The settings of `start`, and `json`. */
type DoctorFlags = Readonly<Record<string, string | boolean | undefined>>

const EXIT_CODES = { ok: 0, warning: 1, broken: 2 } as const

/**
 * `runbook-agent doctor`: tests everything that the agent needs, also beside a running one, and prints the findings on
 * stdout.
 * @returns the exit code: 0 well, 1 warnings, 2 broken
 */
export async function doctorCommand(flags: DoctorFlags): Promise<number> {
  const { env, stdout, stderr, argv } = process
  const isJson = flags['json'] === true
  const coloured = stdout.isTTY && !env['NO_COLOR']
  // The checks go on when the reader leaves (`| head`): the exit code is still to come.
  stdout.on('error', () => undefined)
  const lines: Line[] = []
  const tell = (line: Line) => {
    lines.push(line)
    if (!isJson) stdout.write(humanLine(line, coloured))
  }
  const source = { flags, env, stderrIsTty: stderr.isTTY }
  await examine({ source, version, main: argv[1] ?? '', tell })
  stdout.write(isJson ? jsonReport(lines, version) : `\n${humanSum(lines)}`)
  return EXIT_CODES[worst(lines.map(({ level }) => level))]
}

interface ExamineOptions {
  readonly source: SettingsSource
  /** Of this program. */
  readonly version: string
  /** The program's file, which has the command `doctor-trial`. */
  readonly main: string
  /** Gets each result at once. */
  readonly tell: (line: Line) => void
}

/** All checks, ordered so that each comes after those that it needs. Opens no stream and leaves nothing behind. */
async function examine({ source, version, main, tell }: ExamineOptions): Promise<void> {
  const examination = new Examination(tell)
  await using trial = new TrialProcess(main)
  await examination.check('version', () => checkVersion(version))
  const settings = await examination.check('settings', () => checkSettings(source))
  const route = await checkCredential(examination, settings, source, trial)
  await checkGateway(examination, route)
  await checkSecretStores(examination, settings, source)
  await checkFolders(examination, settings, source)
  await examination.checkWith(settings, 'policy', (found) => checkPolicy(found, source))
  await examination.checkWith(settings, 'masking', checkPresidio)
  await examination.check('redaction', () => checkRedaction())
  const engine = await checkCommands(examination, trial)
  await checkMachine(examination, settings, engine)
}

async function checkCredential(
  examination: Examination,
  settings: Examined<AgentConfiguration>,
  source: SettingsSource,
  trial: TrialProcess,
): Promise<Examined<Route>> {
  const route = await examination.checkWith(settings, 'key', checkKey)
  await examination.checkWith(settings, 'key file', ({ key }) =>
    judgeKeyFile(keyPlace(key, source), source.env),
  )
  await examination.checkWith(settings, 'key exposure', ({ key }, signal) =>
    checkKeyExposure(keyPlace(key, source), () => trial.ask('environ', signal)),
  )
  return route
}

/** The way to the gateway, step by step, each step on a connection of its own. */
export async function checkGateway(examination: Examination, route: Examined<Route>): Promise<void> {
  const resolved = await examination.checkWith(route, 'name resolution', checkName)
  const reached = await examination.checkWith(resolved, 'tcp', checkTcp)
  const led = await examination.checkWith(reached, 'proxy', checkProxy)
  const secured = await examination.checkWith(led, 'tls', checkTls)
  const answer = await examination.checkWith(secured, 'http/2', checkHttp2)
  await examination.checkWith(answer, 'health check', ({ way }) => checkHealth(way))
  await examination.checkWith(answer, 'clock', checkClock)
}

/** Only those that are set up: most agents have none. */
async function checkSecretStores(
  examination: Examination,
  settings: Examined<AgentConfiguration>,
  { env }: SettingsSource,
): Promise<void> {
  if (!hasVault(env)) return
  await examination.checkWith(settings, 'vault', (found, signal) => checkVault(found, env, signal))
}

async function checkFolders(
  examination: Examination,
  settings: Examined<AgentConfiguration>,
  { env }: SettingsSource,
): Promise<void> {
  await examination.checkWith(settings, 'runtime folder', (found) => checkRuntimeFolder(found, env))
  await examination.checkWith(settings, 'state folder', checkStateFolder)
}

async function checkCommands(
  examination: Examination,
  trial: TrialProcess,
): Promise<Examined<Engine['name']>> {
  const engine = await examination.check('engine', checkEngine)
  await examination.check('command', (signal) => trial.ask('command', signal))
  await examination.check('terminal', (signal) => trial.ask('terminal', signal))
  await examination.check('process cleanup', (signal) => trial.ask('cleanup', signal))
  return engine
}

async function checkMachine(
  examination: Examination,
  settings: Examined<AgentConfiguration>,
  engine: Examined<Engine['name']>,
): Promise<void> {
  await examination.checkWith(settings, 'control groups', checkControlGroups)
  await examination.checkWith(settings, 'open files', (found) => checkOpenFiles(found))
  await examination.checkWith(engine, 'oom score', (name) => checkOomScore(name))
  await examination.checkWith(engine, 'process 1', (name) => checkProcessOne(name))
  await examination.checkWith(settings, 'memory', (found) => checkMemory(found))
  await examination.checkWith(settings, 'stop time', checkStopTime)
}

/** Warnings that the checks of the key say better, since they look at the file. */
const SAID_LATER = /chmod 600|prefer key-file/

/** Whether `start` could read its settings, with everything that is wrong. */
export function checkSettings(source: SettingsSource): Finding<AgentConfiguration> {
  try {
    return accepted(loadAgentSettings(source), source)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return broken(`cannot be used (${fileOf(source)})`, error.message)
  }
}

function accepted(settings: AgentConfiguration, source: SettingsSource): Finding<AgentConfiguration> {
  const warnings = settings.warnings.filter((one) => !SAID_LATER.test(one))
  const found = `can be used (${fileOf(source)})`
  return warnings.length === 0 ? ok(found, settings) : warning(found, warnings.join('\n'), settings)
}

function fileOf(source: SettingsSource): string {
  const { path } = locateFile(source)
  return existsSync(path) ? path : 'no settings file'
}

function checkVersion(version: string): Finding {
  return ok(`runbook-agent ${version}, Node ${process.version}, ${process.platform} ${process.arch}`)
}
