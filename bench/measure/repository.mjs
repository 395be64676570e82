import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

/** The measured runbook. It prints its one required parameter. */
export const RUNBOOK = 'echo.runbook.sh'
const TEXT = `echo {{ .word | required "word is missing" }}\n`

/**
 * Creates a local git repository with this runbook. The user's git configuration is not used.
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
