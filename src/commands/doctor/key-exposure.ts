import { accessSync, constants } from 'node:fs'
import type { Finding } from './finding.ts'
import { ok, skipped, warning } from './finding.ts'
import type { KeyPlace } from './key-place.ts'

/**
 * Whether commands can get at the credential: in the agent's environment, or in its file.
 * @param canRead asks whether a command can read the environment of a process that is guarded like an agent
 */
export async function checkKeyExposure(
  place: KeyPlace,
  canRead: () => Promise<boolean | undefined>,
): Promise<Finding> {
  if (place.kind === 'file') return file(place.path)
  const readable = await canRead()
  if (readable === undefined) return skipped('no command could be started to try it')
  const found = `${place.name} is in the environment of the agent: a command ${readable ? 'could read it' : 'could not read it'} in /proc (tried)`
  const advice = readable
    ? 'Commands can take the key: put it into a file and set key-file, and do not run the agent as root'
    : 'Others see it too, such as what started the agent: prefer key-file'
  return warning(found, advice)
}

/** Commands run as the agent's user; root reads everything. */
function file(path: string): Finding {
  if (process.geteuid?.() === 0)
    return warning(
      `not in the environment, but commands run as root and can read ${path}`,
      'Run the agent as a user of its own',
    )
  const how = isReadable(path)
    ? `but commands run as the same user, which can read ${path}`
    : 'and not readable'
  return ok(`not in the environment, ${how}`)
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
