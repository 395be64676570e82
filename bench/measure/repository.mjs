import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

/** The runbook that is measured: one required parameter, printed as it came. */
export const RUNBOOK = 'echo.runbook.sh'
const TEXT = `echo {{ .word | required "word is missing" }}\n`

/**
 * A local git repository with that runbook, made without anything from its user's git configuration.
 * @param {string} folder
 * @param {(folder: string) => void} more adds files to it
 */
export function makeRepository(folder, more = () => undefined) {
  mkdirSync(folder)
  writeFileSync(path.join(folder, RUNBOOK), TEXT)
  more(folder)
  const who = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost']
  const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  const git = (...args) => execFileSync('git', args, { cwd: folder, env, stdio: 'pipe' })
  git('init', '--quiet', '--initial-branch=main')
  git('add', '--all')
  git(...who, 'commit', '--quiet', '--message=bench')
  return folder
}
