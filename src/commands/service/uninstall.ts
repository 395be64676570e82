import { existsSync, rmSync } from 'node:fs'
import { refuseOthers, type Request } from './request.ts'
import { systemctl } from './systemctl.ts'
import { refuseForeign } from './unit-file.ts'

/** Stops the service, which drains first, and removes the unit, but never a key or a state. @throws Failure */
export async function uninstall(request: Request): Promise<void> {
  const { path, file, kind, force, line } = request
  refuseOthers(request)
  if (!existsSync(path)) {
    line(`there is no ${path}`)
    return
  }
  refuseForeign(path, force)
  await systemctl(request, ['disable', '--now', kind.unit])
  rmSync(path)
  line(`removed ${path}`)
  await systemctl(request, ['daemon-reload'])
  line(`kept   ${file}, the state folder, and drop-ins (${path}.d)`)
}
