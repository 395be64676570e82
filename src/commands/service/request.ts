import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { exitCodes, Failure } from '../failure.ts'
import type { ServicePlace } from './place.ts'
import { renderUnit } from './unit.ts'

export const UNIT = 'runbook-agent.service'
const RUN_AS = 'runbook-agent'
/** EX_NOPERM */
const REFUSED = 77

export interface ServiceFlags {
  /** For this user's own service manager. */
  readonly user?: boolean
  readonly keyFile?: string
  /** The user that a system service runs as. */
  readonly runAs?: string
  readonly allowSudo?: boolean
  readonly force?: boolean
}

export interface Request {
  readonly place: ServicePlace
  readonly forUser: boolean
  /** Path of the unit file. */
  readonly path: string
  readonly keyFile: string
  readonly runAs: string
  readonly allowSudo: boolean
  readonly force: boolean
  /** Prints one thing that was done, or has to be done. */
  readonly line: (text: string) => void
}

/** @throws Failure for flags that do not fit together */
export function readRequest(flags: ServiceFlags, place: ServicePlace, line: Request['line']): Request {
  const forUser = flags.user === true
  if (forUser && flags.runAs !== undefined) {
    throw new Failure('--run-as is for a service of the system; with --user it runs as you', exitCodes.usage)
  }
  const runAs = flags.runAs ?? RUN_AS
  if (!/^[a-z_][\w-]*\$?$/i.test(runAs)) {
    throw new Failure(`--run-as: ${JSON.stringify(runAs)} is no name of a user`, exitCodes.usage)
  }
  return {
    place,
    forUser,
    path: join(forUser ? place.userUnits : place.systemUnits, UNIT),
    keyFile: resolve(flags.keyFile ?? (forUser ? place.userKey : place.systemKey)),
    runAs,
    allowSudo: flags.allowSudo === true,
    force: flags.force === true,
    line,
  }
}

/** @throws Failure when this user may not change these services */
export function refuseOthers({ forUser, place }: Request): void {
  if (forUser || place.uid === 0) return
  throw new Failure(
    'a service of the system needs root. Run this with sudo, or with --user for a service of your own',
    REFUSED,
  )
}

export function unitOf(request: Request): string {
  const { node, main, template } = request.place
  return renderUnit(readFileSync(template, 'utf8'), { ...request, node, main })
}
