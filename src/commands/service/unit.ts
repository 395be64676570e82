import { createHash } from 'node:crypto'
import { explain, Failure } from '../exit-codes.ts'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { homedir, userInfo } from 'node:os'
import { packageFiles } from '../../basics/files/package-files.ts'

export interface ServicePlace {
  readonly template: string
  readonly gatewayTemplate: string
  readonly node: string
  readonly main: string
  readonly uid: number
  readonly user: string
  /** The folders of units are absolute paths. */
  readonly systemUnits: string
  readonly userUnits: string
  /**
   * Configuration folders: `systemConfig` for a service of the system, `userConfig` for a service of this
   * user.
   */
  readonly systemConfig: string
  readonly userConfig: string
  /** systemd records in this folder the users with lingering. Services of these users run without a login. */
  readonly lingering: string
}

export function thisPlace(): ServicePlace {
  const xdg = process.env['XDG_CONFIG_HOME'] ?? ''
  // The XDG Base Directory Specification ignores relative paths.
  const config = isAbsolute(xdg) ? xdg : join(homedir(), '.config')
  return {
    template: packageFiles.unit,
    gatewayTemplate: packageFiles.gatewayUnit,
    node: process.execPath,
    main: packageFiles.main,
    uid: process.geteuid?.() ?? 0,
    user: userInfo().username,
    systemUnits: '/etc/systemd/system',
    userUnits: join(config, 'systemd/user'),
    systemConfig: '/etc/runbook-agent',
    userConfig: join(config, 'runbook-agent'),
    lingering: '/var/lib/systemd/linger',
  }
}

export interface ServiceKind {
  readonly unit: string
  /** The default user of a system service. */
  readonly runAs: string
  readonly template: (place: ServicePlace) => string
  /**
   * The service cannot start without this file. Here are its default name, the flag for another file, and
   * texts for messages.
   */
  readonly file: {
    readonly name: string
    readonly flag: string
    readonly is: string
    readonly holds: string
    readonly remedy: string
  }
  /** Permission bits that the file should not have. */
  readonly closedTo: number
  readonly closing: string
}

export const AGENT: ServiceKind = {
  unit: 'runbook-agent.service',
  runAs: 'runbook-agent',
  template: ({ template }) => template,
  file: {
    name: 'hoop-key',
    flag: '--key-file',
    is: 'key file',
    holds: 'key',
    remedy: "Write the agent's key to this file (mode 0600)",
  },
  closedTo: 0o077,
  closing: 'other users can read the key: chmod 600',
}

export const GATEWAY: ServiceKind = {
  unit: 'runbook-gateway.service',
  runAs: 'runbook-gateway',
  template: ({ gatewayTemplate }) => gatewayTemplate,
  file: {
    name: 'gateway.yaml',
    flag: '--config',
    is: 'file',
    holds: 'settings',
    remedy: 'Write the settings to this file',
  },
  // Unlike a key, this file may be readable by the service's own group.
  closedTo: 0o007,
  closing: 'other users can read tokens in the file: chmod 640',
}

interface UnitOptions {
  /** `node`, `main` and `file` are absolute paths. */
  readonly node: string
  readonly main: string
  readonly file: string
  /** The unit is for a user's service manager instead of the system's. */
  readonly forUser: boolean
  /** The user of a system unit. */
  readonly runAs: string
  /** Settings that break sudo and su are left out. */
  readonly allowSudo: boolean
}

/**
 * These settings break sudo. By systemd.exec(5), they imply NoNewPrivileges= for an ordinary user, or they
 * also restrict programs that sudo starts.
 */
const SANDBOX =
  /^(NoNewPrivileges|Protect\w+|Private\w+|Restrict(AddressFamilies|Namespaces|Realtime|SUIDSGID)|RemoveIPC|LockPersonality|SystemCall\w+|CapabilityBoundingSet)=/
/**
 * A user's service manager does not know these settings' subjects: it has no other users and no network unit,
 * and it cannot lower the OOM score.
 */
const SYSTEM_ONLY = /^(User|OOMScoreAdjust|Wants|After)=/
const MARK =
  '# Made by `runbook-agent service`. Change it with `systemctl edit`, which leaves this file as it is.'
const SUM = '# sha256 of what follows: '

/**
 * Fills in the template from systemd/.
 * @throws Failure for a path that a unit cannot contain
 */
export function renderUnit(template: string, options: UnitOptions): string {
  const leaveOut = (line: string) =>
    ((options.forUser || options.allowSudo) && SANDBOX.test(line)) ||
    (options.forUser && SYSTEM_ONLY.test(line))
  // Drops the first paragraph, which describes the template itself.
  const [, ...paragraphs] = template.trimEnd().split('\n\n')
  const body = paragraphs
    .map((paragraph) => keepLines(paragraph.split('\n'), leaveOut))
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => fillIn(line, options)).join('\n'))
    .join('\n\n')
  return `${MARK}\n${SUM}${checksum(`${body}\n`)}\n\n${body}\n`
}

/** Returns whether `renderUnit` made the text and nobody has changed the text since. */
export function isOurs(unit: string): boolean {
  const [mark, sum = '', empty, ...body] = unit.split('\n')
  return mark === MARK && sum === `${SUM}${checksum(body.join('\n'))}` && empty === ''
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Removes the settings to leave out. If a group loses all its settings, its comments are removed, too. */
function keepLines(lines: readonly string[], leaveOut: (line: string) => boolean): string[] {
  return groupsOf(lines).flatMap(({ comments, settings }) => {
    const kept = settings.filter((line) => !leaveOut(line))
    return kept.length === 0 && settings.length > 0 ? [] : [...comments, ...kept]
  })
}

interface Group {
  readonly comments: string[]
  readonly settings: string[]
}

function groupsOf(lines: readonly string[]): Group[] {
  const groups: Group[] = []
  for (const line of lines) {
    const isComment = line.startsWith('#')
    let group = groups.at(-1)
    if (group === undefined || (isComment && group.settings.length > 0)) {
      group = { comments: [], settings: [] }
      groups.push(group)
    }
    group[isComment ? 'comments' : 'settings'].push(line)
  }
  return groups
}

function fillIn(line: string, { node, main, file, runAs, forUser }: UnitOptions): string {
  const [name = ''] = line.split('=')
  switch (name) {
    case 'ExecStart':
    case 'ExecStartPre':
      return `${name}=${programWord(node)} ${argumentWord(main)} ${commandOf(line, file)}`
    case 'LoadCredential':
      return `LoadCredential=hoop-key:${plain(file).replaceAll('%', '%%')}`
    case 'User':
      return `User=${runAs}`
    case 'WantedBy':
      return `WantedBy=${forUser ? 'default.target' : 'multi-user.target'}`
    default:
      return line
  }
}

/** Returns the words after the program. `file` replaces the value of `--config` in the template. */
function commandOf(line: string, file: string): string {
  const [, words = ''] = line.split('/dist/main.js ')
  return words.replace(/ --config \S+$/, () => ` --config ${argumentWord(file)}`)
}

/** In the first word of ExecStart=, systemd expands `%` but not `$`, and allows no quotes. */
function programWord(path: string): string {
  if (/["'\\]/.test(path))
    throw new Failure(
      `systemd cannot run ${path}, because this path has quotes or backslashes. Move the program`,
    )
  return quoted(plain(path).replaceAll('%', '%%'))
}

/** In later words of ExecStart=, systemd also expands `$`. Quotes and backslashes work as in a shell. */
function argumentWord(path: string): string {
  return quoted(plain(path).replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$'))
}

function quoted(escaped: string): string {
  return /^[\w/.+:@,=-]+$/.test(escaped) ? escaped : `"${escaped}"`
}

function plain(path: string): string {
  if (!path.startsWith('/') || /\p{Cc}/u.test(path)) {
    throw new Failure(
      `${JSON.stringify(path)} cannot be used in a unit: the path must be absolute, without control characters`,
    )
  }
  return path
}

/** Maximum size of a file in bytes. The gateway has the same limit for gateway.yaml. */
const MAX_BYTES = 1024 * 1024

/** @throws Failure if `renderUnit` did not make the existing file */
export function refuseForeign(path: string, force: boolean): void {
  if (force || !existsSync(path) || isOurs(readFileSync(path, 'utf8'))) return
  throw new Failure(
    `${path} was not written by this command, or was changed since. Move the file to another folder, or use --force`,
  )
}

/** @throws Failure */
export function writeUnit(path: string, unit: string): void {
  const passing = `${path}.new`
  try {
    mkdirSync(dirname(path), { recursive: true })
    // An old file at this path may be a link.
    rmSync(passing, { force: true })
    writeFileSync(passing, unit, { mode: 0o644, flag: 'wx' })
    // The renaming ensures that systemd never reads an incomplete unit.
    renameSync(passing, path)
  } catch (error) {
    rmSync(passing, { force: true })
    throw explain(error, `cannot write ${path}`, 'Run this as root, or with --user')
  }
}

/**
 * @returns a warning, or undefined
 * @throws Failure if the service could not start with the file
 */
export function checkFile({
  file,
  kind,
}: {
  readonly file: string
  readonly kind: ServiceKind
}): string | undefined {
  try {
    const { mode } = readSmallFile(file, MAX_BYTES)
    return (mode & kind.closedTo) === 0 ? undefined : `${kind.closing} ${file}`
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    const { is, remedy, flag } = kind.file
    throw new Failure(`the ${is} ${file} ${error.message}. ${remedy}, or name another file with ${flag}`)
  }
}

export function isOpenToAll(path: string): boolean {
  const folders: string[] = []
  for (let folder = dirname(path); !folders.includes(folder); folder = dirname(folder)) folders.push(folder)
  return may(path, 0o004) && folders.every((folder) => may(folder, 0o001))
}

function may(path: string, bit: number): boolean {
  return ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & bit) !== 0
}
