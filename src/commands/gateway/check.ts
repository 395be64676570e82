import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { claimFolder, ForeignPathError } from '../../basics/files/private-path.ts'
import { type Address, formatAddress } from '../../basics/net/address.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import { printableText } from '../../basics/text/printable.ts'
import { sizeText } from '../../basics/text/units.ts'
import { BackupError, HISTORY_FILE } from '../../gateway/operating/backup-format.ts'
import { checkRestored } from '../../gateway/operating/restore.ts'
import { LAYOUT, NEWEST_VERSION } from '../../gateway/rooms.ts'
import type { ListedRunbook } from '../../gateway/runbooks/catalog.ts'
import { missingRunbooks, unmatchedPaths } from '../../gateway/runbooks/unmatched-paths.ts'
import { examineSettings } from '../../gateway/settings/load.ts'
import { scheduleWarnings } from '../../gateway/settings/schedules.ts'
import type { GatewaySettings } from '../../gateway/settings/settings.ts'
import { HistoryError } from '../../gateway/store/errors.ts'
import { lookAtHistory } from '../../gateway/store/copy.ts'
import { damageText, examineUnused, type Health } from '../../gateway/store/examination.ts'
import { type CertificateFiles, readPair, WARN_MS } from '../../gateway/tls/certificates.ts'
import {
  broken,
  Examination,
  type Examined,
  type Finding,
  jsonReport,
  type Line,
  ok,
  skipped,
  warning,
  worst,
  nearestExisting,
  obstacleTo,
  readVolume,
} from '../examination.ts'
import { exitCodes } from '../exit-codes.ts'
import { version } from '../version.ts'
import { checkRepository } from './repository-check.ts'
import type { GatewayFlags } from './gateway.ts'

/** Time for one repository: 30 s for the fetch, 10 s for its paths. */
const REPOSITORY_MS = 40_000
/** Time for checking the whole history. systemd/runbook-gateway.service allows 15 minutes for the start. */
const HISTORY_MS = 10 * 60 * 1000

/**
 * Prints one line for each problem. `broken` keeps the gateway from starting, and `warning` keeps it from
 * doing all of its work. The check starts, creates and changes nothing.
 * @returns the exit code: 78 if something is broken
 */
export async function checkGatewayCommand({ config, json }: GatewayFlags): Promise<number> {
  const lines: Line[] = []
  await examine(config, (line) => void lines.push(line))
  const text = json === true ? jsonReport(lines, version) : `${report(config, lines)}\n`
  process.stdout.write(printableText(text))
  return worst(lines.map(({ level }) => level)) === 'broken' ? exitCodes.configuration : exitCodes.done
}

async function examine(file: string, tell: (line: Line) => void): Promise<void> {
  const examination = new Examination(tell)
  const settings = await checkSettings(file, examination, tell)
  await examination.checkWith(settings, 'certificate', ({ listen }) => checkCertificate(listen.tls))
  const state = await examination.checkWith(settings, 'state', ({ state: folder }) => checkState(folder))
  await new Examination(tell, HISTORY_MS + 60_000).checkWith(state, 'history', (folder) =>
    checkHistory(folder, HISTORY_MS),
  )
  for (const server of ['http', 'grpc', 'metrics'] satisfies Server[])
    await examination.checkWith(settings, `listen.${server}`, ({ listen }) => checkPort(listen[server]))
  if (settings.fact !== undefined) await examinePaths(settings.fact, tell)
}

/** Reads all repositories, at the same time because one that does not answer takes seconds. */
async function examinePaths(settings: GatewaySettings, tell: (line: Line) => void): Promise<void> {
  const known = new Map<string, readonly string[]>()
  const runbooks = new Map<string, readonly ListedRunbook[]>()
  const hasTools = settings.mcp.length > 0
  const examined = settings.repositories.map(async (repository) => {
    const lines: Line[] = []
    const examination = new Examination((line) => void lines.push(line), REPOSITORY_MS + 60_000)
    const name = `repository ${repository.name}`
    const { fact } = await examination.check(name, () => checkRepository(repository, REPOSITORY_MS, hasTools))
    if (fact?.paths !== undefined) known.set(repository.name, fact.paths)
    if (fact !== undefined) runbooks.set(repository.name, fact.runbooks)
    return lines
  })
  for (const lines of await Promise.all(examined)) lines.forEach(tell)
  const tools = hasTools ? (await import('../../gateway/mcp/offer.ts')).offerWarnings(settings, runbooks) : []
  for (const found of [...missingRunbooks(settings, known), ...unmatchedPaths(settings, known), ...tools])
    tell({ name: 'settings', level: 'warning', found })
}

/** Reports one line per problem, like `config check`. */
async function checkSettings(
  file: string,
  examination: Examination,
  tell: (line: Line) => void,
): Promise<Examined<GatewaySettings>> {
  const { settings, problems, warnings } = settingsOf(file)
  for (const found of warnings) tell({ name: 'settings', level: 'warning', found })
  if (settings !== undefined && problems.length === 0)
    return examination.check('settings', () => ok(file, settings))
  const [first = `${file}: the settings cannot be used`, ...others] = problems
  const finding: Finding<never> = broken(first, '')
  const examined = await examination.check<GatewaySettings>('settings', () => finding)
  for (const found of others) tell({ name: 'settings', level: 'broken', found })
  return examined
}

function settingsOf(file: string): {
  readonly settings: GatewaySettings | undefined
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
} {
  try {
    const { settings, problems, warnings } = examineSettings(file, process.env)
    const all = [...warnings, ...scheduleWarnings(file, settings)]
    return { settings, problems: problems.toLines(), warnings: all }
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return { settings: undefined, problems: error.message.split('\n'), warnings: [] }
  }
}

/** Shows only warnings and errors. `--json` shows all checks. */
function report(file: string, lines: readonly Line[]): string {
  const told = lines.filter(({ level }) => level === 'warning' || level === 'broken')
  const isBroken = told.some(({ level }) => level === 'broken')
  const sum = isBroken ? [] : [`${file}: the gateway can start with these settings`]
  return [...told.map(lineOf), ...sum].join('\n')
}

function lineOf({ level, name, found, advice }: Line): string {
  const what = name === 'settings' ? found : `${name}: ${found}`
  return [`${level === 'broken' ? 'broken: ' : 'warning:'} ${what}`, ...(advice ? [advice] : [])].join('. ')
}

/** Does not compare certificate and key: the check of the settings has already done this. */
function checkCertificate(files: CertificateFiles | undefined): Finding {
  if (files === undefined) return skipped('listen.tls is not set')
  const { endsAt } = readPair(files)
  const until = new Date(endsAt).toISOString()
  const renew = 'Replace the file with a new certificate: the gateway reads it without a restart'
  if (endsAt <= Date.now())
    return broken(`${files.certificate} expired at ${until}: no client accepts it`, renew)
  if (endsAt - Date.now() < WARN_MS) return warning(`${files.certificate} expires at ${until}`, renew)
  return ok(`valid until ${until}`)
}

type Server = 'http' | 'grpc' | 'metrics'

const ADVICE: Readonly<Partial<Record<string, string>>> = {
  EADDRINUSE: 'Stop the program that uses this port (perhaps the running gateway), or choose another port',
  EACCES: 'Choose a port above 1023, or give the service CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'Choose an address of this machine',
}

/** Listens for a moment to test the port. */
async function checkPort(address: Address | undefined): Promise<Finding> {
  if (address === undefined) return skipped('no address is set')
  const server = createServer()
  try {
    server.listen({ ...address, exclusive: true })
    await once(server, 'listening')
    return ok(`${formatAddress(address)} is free`)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const advice = ADVICE[code] ?? 'Choose another address'
    return broken(`cannot listen on ${formatAddress(address)}: ${code || message}`, advice)
  } finally {
    server.close()
  }
}

/** The next backup, copy of a repository or long output may need this many bytes. */
const LITTLE_BYTES = 256 * 1024 * 1024
const CHOOSE = 'Give the folder to the user of the gateway, or name another folder (state)'

/**
 * Checks that the folder is writable, is closed to other users and has space. The check creates no folder.
 */
async function checkState(folder: string): Promise<Finding<string>> {
  const obstacle = await obstacleTo(folder)
  if (obstacle !== undefined) return broken(`${folder}: cannot create files there: ${obstacle}`, CHOOSE)
  const foreign = existsSync(folder) ? foreignText(folder) : undefined
  if (foreign !== undefined) return broken(foreign, CHOOSE)
  const { freeBytes, hasInodes } = await readVolume(nearestExisting(folder))
  const found = `${folder}${existsSync(folder) ? '' : ', which the gateway will create'}, ${sizeText(freeBytes)} free`
  if (!hasInodes) return broken(`${found}, but no free inodes`, 'Remove files from that file system')
  if (freeBytes < LITTLE_BYTES) return warning(found, 'Free some space, or lower history.size', folder)
  return ok(found, folder)
}

/** Examines the history, but does not migrate its schema. */
async function checkHistory(folder: string, withinMs: number): Promise<Finding> {
  if (!existsSync(folder)) return skipped('the history does not exist yet')
  try {
    checkRestored(folder)
    const file = path.join(folder, HISTORY_FILE)
    const look = lookAtHistory(file, NEWEST_VERSION)
    if (look === undefined) return skipped('the history does not exist yet')
    const { schema, hasLog } = look
    const { faults, unseen } = await examineWhole(file, withinMs)
    if (faults.length > 0) return broken(damageText(file, faults), '')
    if (unseen.length > 0)
      return warning(
        `the history could not be examined completely within ${withinMs / 1000} s, not examined: ${unseen.join(', ')}`,
        'No damage was found in the examined part',
      )
    if (schema === NEWEST_VERSION || hasLog) return ok(`schema ${schema}${hasLog ? ' or newer' : ''}`)
    return warning(
      `the history has schema ${schema}; the start changes it to schema ${NEWEST_VERSION}, which older versions of this program cannot use`,
      'Make a backup before the start: use runbook-agent backup, or copy the folder while no gateway runs',
    )
  } catch (error) {
    if (error instanceof HistoryError || error instanceof BackupError) return broken(error.message, '')
    throw error
  }
}

/** Removes the files that SQLite creates when it reads the log of a killed gateway. */
async function examineWhole(file: string, withinMs: number): Promise<Health> {
  const beside = [`${file}.lock`, `${file}-shm`].filter((each) => !existsSync(each))
  try {
    const health = await examineUnused(file, LAYOUT, { depth: 'whole', withinMs })
    return health ?? { faults: [], unseen: ['the whole history, because the disk is full or read-only'] }
  } finally {
    for (const each of beside) rmSync(each, { force: true })
  }
}

function foreignText(folder: string): string | undefined {
  try {
    // This call creates nothing, because the folder exists.
    claimFolder(folder)
    return undefined
  } catch (error) {
    if (error instanceof ForeignPathError) return error.message
    throw error
  }
}
