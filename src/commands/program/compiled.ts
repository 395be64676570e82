import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Script } from 'node:vm'

/** The program and its packages in one file, and V8's code for it, built by `scripts/compile.mjs`. */
const folder = path.resolve(__dirname, '../../compiled/program')
/**
 * For each command that loads much code: the run whose V8 code it uses. Commands that load little, like
 * `version`, take longer with the large file.
 */
const RUNS: Readonly<Record<string, string>> = {
  start: 'start',
  gateway: 'gateway',
  dev: 'gateway',
  exec: 'exec',
  connect: 'exec',
  run: 'sessions',
  sessions: 'sessions',
  reviews: 'sessions',
  connections: 'sessions',
  agents: 'sessions',
}

/** False in the folder that `npm run bundle` creates: there the program is only one file. */
const hasFiles = existsSync(path.join(__dirname, 'main.js'))

/**
 * Loads the program from one file with the code that V8 made for it at build time. Returns undefined for
 * commands that load little, and for a build without such code: then the program is loaded file by file. Only
 * the Node that made the code uses it, with the same V8 flags; another Node compiles the file as usual.
 */
export function compiledProgram(
  word: string | undefined,
): { readonly main: () => Promise<void> } | undefined {
  const run = RUNS[word ?? ''] ?? (hasFiles ? undefined : 'sessions')
  const file = path.join(folder, 'program.js')
  const source = run === undefined ? undefined : readIfThere(file)
  if (source === undefined) return undefined
  const cachedData = readIfThere(path.join(folder, `${run}.code`))
  // V8 compares only the length of the source, so the build removes the code before it changes the file.
  // The file is the expression of a function, as Node makes it of a module: a text put together here would be copied.
  const script = new Script(source.toString('latin1'), {
    filename: file,
    ...(cachedData !== undefined && { cachedData }),
  })
  const module: { exports: { main: () => Promise<void> } } = { exports: { main: () => Promise.resolve() } }
  const load = script.runInThisContext() as (...scope: readonly unknown[]) => void
  load(module.exports, createRequire(file), module, file, folder)
  return module.exports
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}
