import { readFileSync } from 'node:fs'
import type { Engine } from '../../runtime/engine.ts'
import type { Finding } from './finding.ts'
import { ok, skipped, warning } from './finding.ts'

/** Who collects the processes whose parents have ended, in this container or on this machine. */
export function checkProcessOne(engine: Engine['name'], ownPid = process.pid, proc = '/proc'): Finding {
  const name = programOf(`${proc}/1`)
  if (name === undefined) return skipped('this system does not show process 1')
  const isAgent = ownPid === 1 || name.includes('runbook-agent')
  if (engine === 'posix')
    return ok(
      isAgent
        ? 'the agent is process 1: it collects what ends without a parent, as it does with its commands'
        : `${name}; what commands leave behind comes to the agent, which collects it`,
    )
  if (!isAgent) return ok(`${name}; what commands leave behind goes to it, which has to collect it`)
  return warning(
    'the agent is process 1, and the portable engine collects its own commands only',
    'What they leave behind stays as a zombie: start the agent under an init (tini, docker run --init)',
  )
}

/** The words of its command line that tell which program it is; undefined where there is no /proc. */
function programOf(folder: string): string | undefined {
  try {
    const words = readFileSync(`${folder}/cmdline`, 'latin1').split('\0').filter(Boolean)
    if (words.length === 0) return readFileSync(`${folder}/comm`, 'utf8').trim()
    // Not all of it: arguments may be secrets.
    return words[0]?.endsWith('node') === true ? words.slice(0, 2).join(' ') : words[0]
  } catch {
    return undefined
  }
}
