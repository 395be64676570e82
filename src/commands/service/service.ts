import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { exitCodes, Failure, inGatewayProduct } from '../exit-codes.ts'
import {
  AGENT,
  checkFile,
  GATEWAY,
  isOpenToAll,
  refuseForeign,
  renderUnit,
  type ServiceKind,
  type ServicePlace,
  thisPlace,
  writeUnit,
} from './unit.ts'

export type ServiceAction = 'install' | 'uninstall' | 'print'

/** @throws Failure */
export async function serviceCommand(
  action: ServiceAction,
  flags: ServiceFlags,
  place = thisPlace(),
  say: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<void> {
  const request = readRequest(flags, place, (text) => say(`${text}\n`))
  switch (action) {
    case 'print':
      say(unitOf(request))
      return
    case 'install':
      await install(request)
      return
    case 'uninstall':
      await uninstall(request)
      return
  }
}

export interface ServiceFlags {
  /** The command uses this user's service manager instead of the system's. */
  readonly user?: boolean
  readonly gateway?: boolean
  readonly keyFile?: string
  readonly config?: string
  /** The user of a system service. */
  readonly runAs?: string
  readonly allowSudo?: boolean
  readonly force?: boolean
}

interface Request {
  readonly place: ServicePlace
  readonly kind: ServiceKind
  readonly forUser: boolean
  readonly path: string
  /** The file of the agent's key or of the gateway's settings. */
  readonly file: string
  readonly runAs: string
  readonly allowSudo: boolean
  readonly force: boolean
  /** Prints a finished step, or a step that the user has to do. */
  readonly line: (text: string) => void
}

/** @throws Failure for flags that exclude each other */
function readRequest(flags: ServiceFlags, place: ServicePlace, line: Request['line']): Request {
  const forUser = flags.user === true
  if (forUser && flags.runAs !== undefined) {
    throw new Failure(
      '--run-as cannot be used with --user: a user service runs as you. Remove one of the flags',
      exitCodes.usage,
    )
  }
  const kind = flags.gateway === true ? GATEWAY : AGENT
  refuseOtherFlags(flags, kind)
  const runAs = flags.runAs ?? kind.runAs
  if (!/^[a-z_][\w-]*\$?$/i.test(runAs)) {
    throw new Failure(`--run-as: ${JSON.stringify(runAs)} is not a valid user name`, exitCodes.usage)
  }
  return {
    place,
    kind,
    forUser,
    path: join(forUser ? place.userUnits : place.systemUnits, kind.unit),
    file: resolve(
      flags.keyFile ?? flags.config ?? join(forUser ? place.userConfig : place.systemConfig, kind.file.name),
    ),
    runAs,
    allowSudo: flags.allowSudo === true,
    force: flags.force === true,
    line,
  }
}

/** @throws Failure for flags that this kind of service does not have */
function refuseOtherFlags({ keyFile, config, allowSudo }: ServiceFlags, kind: ServiceKind): void {
  const isGateway = kind === GATEWAY
  if (isGateway && (keyFile !== undefined || allowSudo === true))
    throw new Failure('--key-file and --allow-sudo are for the agent, not for --gateway', exitCodes.usage)
  if (!isGateway && config !== undefined)
    throw new Failure('--config needs --gateway: it names the gateway.yaml', exitCodes.usage)
}

/** @throws Failure if this user may not change the services of the system */
function requireRights({ forUser, place }: Request): void {
  if (forUser || place.uid === 0) return
  throw new Failure(
    'a system service needs root. Run this with sudo, or use --user for a user service',
    exitCodes.refused,
  )
}

function unitOf(request: Request): string {
  const { place, kind } = request
  const { node, main } = place
  if (!existsSync(kind.template(place))) throw inGatewayProduct('--gateway')
  return renderUnit(readFileSync(kind.template(place), 'utf8'), { ...request, node, main })
}

/**
 * Installs the service, and prints the steps that the user still has to do.
 * @throws Failure
 */
async function install(request: Request): Promise<void> {
  const { path, kind, force, line } = request
  requireRights(request)
  const warning = checkFile(request)
  refuseForeign(path, force)
  const isNew = !existsSync(path)
  writeUnit(path, unitOf(request))
  line(`wrote  ${path}`)
  for (const note of [...(warning === undefined ? [] : [warning]), ...closedPrograms(request)])
    line(`note   ${note}`)
  const makeUser = await missingUser(request)
  await systemctl(
    request,
    ['daemon-reload'],
    ['enable', ...(makeUser === undefined ? ['--now'] : []), kind.unit],
  )
  for (const step of remaining(request, isNew, makeUser)) line(`to do  ${step}`)
}

function remaining(request: Request, isNew: boolean, makeUser: string | undefined): string[] {
  if (makeUser !== undefined) return [makeUser, systemctlLine(request, 'start', request.kind.unit)]
  // The user decides about the restart, because a restart ends running executions.
  const restart = isNew
    ? []
    : [`${systemctlLine(request, 'restart', request.kind.unit)}  # if the service ran before`]
  return [...restart, ...lingering(request)]
}

/** @returns the command that creates the user, or undefined if the user exists */
async function missingUser({ forUser, runAs, kind }: Request): Promise<string | undefined> {
  if (forUser || (await runReportingFailure(`id -u ${runAs}`)) === undefined) return undefined
  return `useradd --system --user-group --create-home --home-dir /var/lib/${kind.runAs} ${runAs}`
}

/**
 * Warns about programs that the service's user may not reach. For example, nvm installs Node in a home folder
 * that is closed to others.
 */
function closedPrograms({ forUser, runAs, place: { node, main } }: Request): string[] {
  if (forUser) return []
  return [node, main]
    .filter((path) => !isOpenToAll(path))
    .map(
      (path) =>
        `${runAs} may not be able to read ${path}: the file or a parent folder is closed to other users`,
    )
}

/**
 * Returns the step that turns lingering on. Without lingering, a user's services end at logout and do not
 * start at boot.
 */
function lingering({ forUser, place: { user, lingering } }: Request): string[] {
  return forUser && !existsSync(`${lingering}/${user}`)
    ? [`loginctl enable-linger ${user}  # otherwise the service ends at your logout`]
    : []
}

/**
 * Removes the service. The service drains before it stops. Key and state stay.
 * @throws Failure
 */
async function uninstall(request: Request): Promise<void> {
  const { path, kind, force, line } = request
  requireRights(request)
  if (!existsSync(path)) {
    line(`nothing to remove: ${path} does not exist`)
    return
  }
  refuseForeign(path, force)
  await systemctl(request, ['disable', '--now', kind.unit])
  rmSync(path)
  line(`removed ${path}`)
  await systemctl(request, ['daemon-reload'])
  line(`kept   the ${kind.file.holds}, the state folder, and drop-ins (${path}.d)`)
}

/** This time is long, because a start waits for the service's READY, and a stop waits for its drain. */
const MAX_MS = 5 * 60 * 1000

function systemctlLine({ forUser }: Request, ...args: readonly string[]): string {
  return ['systemctl', ...(forUser ? ['--user'] : []), ...args].join(' ')
}

/**
 * Runs the steps in order. With --force, a failed step does not stop the others.
 * @throws Failure at the first failed step, with all remaining steps
 */
async function systemctl(request: Request, ...steps: readonly (readonly string[])[]): Promise<void> {
  const lines = steps.map((step) => systemctlLine(request, ...step))
  for (const [index, line] of lines.entries()) {
    const failure = await runReportingFailure(line)
    if (failure === undefined) request.line(`ran    ${line}`)
    else if (request.force) request.line(`failed ${line}: ${failure}`)
    else {
      const rest = lines.slice(index).join('; ')
      throw new Failure(`${line}: ${failure}. Correct this, then run: ${rest}`, exitCodes.unreachable)
    }
  }
}

/** @returns the reason of a failure, or undefined if the command succeeded */
async function runReportingFailure(line: string): Promise<string | undefined> {
  const [program = '', ...args] = line.split(' ')
  return new Promise((resolve) => {
    execFile(program, args, { timeout: MAX_MS }, (error, _stdout, stderr) => {
      if (error === null) return resolve(undefined)
      // The first line names the problem. The other lines only say where to look.
      const [words = ''] = stderr.trim().split('\n')
      resolve(error.code === 'ENOENT' ? `${program} not found` : words || error.message)
    })
  })
}
