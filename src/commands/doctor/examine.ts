import type { AgentConfiguration } from '../../config.ts'
import type { SettingsSource } from '../../config/settings-file.ts'
import type { Engine } from '../../runtime/engine.ts'
import { checkControlGroups } from './control-groups.ts'
import { checkEngine, checkOomScore, checkProcessOne, checkMemory, checkOpenFiles } from './machine.ts'
import { Examination, type Examined } from './examination.ts'
import type { Line } from './finding.ts'
import { checkHttp2 } from './gateway/http2.ts'
import { checkTcp, checkClock, checkHealth, checkName, checkProxy } from './gateway/first-steps.ts'
import { checkTls } from './gateway/tls.ts'
import type { Route } from './gateway/way.ts'
import { checkKey, judgeKeyFile, keyPlace, checkKeyExposure } from './credential.ts'
import { checkPolicy } from './policy.ts'
import { checkPresidio } from './presidio.ts'
import { checkRedaction } from './redaction.ts'
import { checkRuntimeFolder, checkStateFolder } from './folders.ts'
import { checkSettings, checkVersion } from './settings.ts'
import { checkStopTime } from './stop-time.ts'
import { checkVault, hasVault } from './vault.ts'
import { TrialProcess } from './trial/trial-process.ts'

export interface ExamineOptions {
  readonly source: SettingsSource
  /** Of this program. */
  readonly version: string
  /** The program's file, which has the command `doctor-trial`. */
  readonly main: string
  /** Gets each result at once. */
  readonly tell: (line: Line) => void
}

/** All checks, ordered so that each comes after those that it needs. Opens no stream and leaves nothing behind. */
export async function examine({ source, version, main, tell }: ExamineOptions): Promise<void> {
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
  await examination.check('redaction', checkRedaction)
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
