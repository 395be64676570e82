import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { exitCodes, Failure } from '../failure.ts'
import { AGENT, GATEWAY, type ServiceKind } from './kinds.ts'
import type { ServicePlace } from './place.ts'
import { renderUnit } from './unit.ts'

/** EX_NOPERM */
const REFUSED = 77

export interface ServiceFlags {
  /** For this user's own service manager. */
  readonly user?: boolean
  /** The gateway, not the agent. */
  readonly gateway?: boolean
  readonly keyFile?: string
  /** gateway.yaml */
  readonly config?: string
  /** The user that a system service runs as. */
  readonly runAs?: string
  readonly allowSudo?: boolean
  readonly force?: boolean
}

export interface Request {
  readonly place: ServicePlace
  readonly kind: ServiceKind
  readonly forUser: boolean
  /** Path of the unit file. */
  readonly path: string
  /** With the key of an agent, or the settings of a gateway. */
  readonly file: string
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
  const kind = flags.gateway === true ? GATEWAY : AGENT
  refuseOfOthers(flags, kind)
  const runAs = flags.runAs ?? kind.runAs
  if (!/^[a-z_][\w-]*\$?$/i.test(runAs)) {
    throw new Failure(`--run-as: ${JSON.stringify(runAs)} is no name of a user`, exitCodes.usage)
  }
  return {
    ...{ place, kind, forUser },
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

/** Flags that say nothing of this kind. @throws Failure */
function refuseOfOthers({ keyFile, config, allowSudo }: ServiceFlags, kind: ServiceKind): void {
  const isGateway = kind === GATEWAY
  if (isGateway && (keyFile !== undefined || allowSudo === true))
    throw new Failure('--key-file and --allow-sudo are of the agent, not of --gateway', exitCodes.usage)
  if (!isGateway && config !== undefined)
    throw new Failure('--config is the gateway.yaml of --gateway', exitCodes.usage)
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
  const { place, kind } = request
  const { node, main } = place
  return renderUnit(readFileSync(kind.template(place), 'utf8'), { ...request, node, main })
}
