import { statSync } from 'node:fs'
import path from 'node:path'
import type { Finding } from './finding.ts'
import { ok, skipped, warning } from './finding.ts'
import type { KeyPlace } from './key-place.ts'

const READABLE_BY_GROUP = 0o040
const READABLE_BY_ALL = 0o004
const WRITABLE_BY_OTHERS = 0o022
const STICKY = 0o1000

/** Who else may read or replace the file with the credential. */
export function judgeKeyFile(place: KeyPlace, env: NodeJS.ProcessEnv): Finding {
  if (place.kind === 'variable') return skipped(`the key is in no file but in ${place.name}`)
  const { mode, uid } = statSync(place.path)
  const folder = path.dirname(place.path)
  const found = `${place.path}, mode ${octal(mode)}, owner ${uid}`
  if (isOpen(mode)) return warning(`${found}: others can replace it`, `chmod 600 ${place.path}`)
  if (isOpen(statSync(folder).mode))
    return warning(`${found}, in a folder in which others can replace it`, `chmod go-w ${folder}`)
  // systemd lets the unit's user in by an ACL, and stat shows that as a right of the group.
  const isCredential = env['CREDENTIALS_DIRECTORY'] === folder
  if ((mode & (isCredential ? READABLE_BY_ALL : READABLE_BY_ALL | READABLE_BY_GROUP)) === 0) return ok(found)
  return warning(
    `${found}: others can read it`,
    `chmod 600 ${place.path} (Kubernetes: defaultMode: 0400 for the volume of the secret)`,
  )
}

/** Whether others may write; in a folder like /tmp they may, but not touch what is not theirs. */
function isOpen(mode: number): boolean {
  return (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}
