import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { killAll, Program } from './program.mjs'

/**
 * Creates a folder for one run of a benchmark. Its files and processes are also removed on Ctrl-C and after an error.
 * @param profile a folder for CPU profiles. Figures with profiles are slower than without.
 */
export function runFolder(profile) {
  if (profile !== undefined) Program.nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`]
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-'))
  process.on('exit', () => {
    killAll()
    rmSync(folder, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  return folder
}
