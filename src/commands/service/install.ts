import { existsSync } from 'node:fs'
import { failureOf, systemctl, systemctlLine } from './systemctl.ts'
import { refuseOthers, unitOf, type Request } from './request.ts'
import { checkFile, isOpenToAll, refuseForeign, writeUnit } from './unit-file.ts'

/** Writes the unit and starts it, or says what has to be done first. @throws Failure */
export async function install(request: Request): Promise<void> {
  const { path, kind, force, line } = request
  refuseOthers(request)
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
  // A restart is left to the person, since it ends what runs.
  const restart = isNew ? [] : [`${systemctlLine(request, 'restart', request.kind.unit)}  # if it ran before`]
  return [...restart, ...lingering(request)]
}

/** @returns the command that creates the user, if the user does not exist yet */
async function missingUser({ forUser, runAs, kind }: Request): Promise<string | undefined> {
  if (forUser || (await failureOf(`id -u ${runAs}`)) === undefined) return undefined
  return `useradd --system --user-group --create-home --home-dir /var/lib/${kind.runAs} ${runAs}`
}

/** What the service's user may not reach: nvm installs Node below a home that is closed to others. */
function closedPrograms({ forUser, runAs, place: { node, main } }: Request): string[] {
  if (forUser) return []
  return [node, main]
    .filter((path) => !isOpenToAll(path))
    .map((path) => `${runAs} may not be able to read ${path}: it, or a folder above it, is closed to others`)
}

/** Without lingering a user's services end at logout, and do not start at boot. */
function lingering({ forUser, place: { user, lingering } }: Request): string[] {
  return forUser && !existsSync(`${lingering}/${user}`)
    ? [`loginctl enable-linger ${user}  # else it ends at your logout`]
    : []
}
