// Prepares a checkout to run: installs dependencies from the lockfile, then builds. Steps that are up to date
// are skipped, so the second start costs some milliseconds. `--packages` leaves out the build. This file may
// import only Node's own modules.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
/** First supported minor version of some major versions of Node. All later major versions are supported. */
const FIRST_MINORS = { 20: 19, 22: 13 }

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 && !(minor >= FIRST_MINORS[major])) {
  console.error(`Node 20.19, 22.13, 24 or newer is needed; this is ${process.versions.node}`)
  process.exit(1)
}

step('dependencies', 'node_modules/.stamp', ['package-lock.json'], () =>
  // Install scripts are not run. Every binary that we use is in its package, so no compiler is needed.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']),
)
if (process.argv[2] !== '--packages')
  step(
    'build',
    'dist/.stamp',
    [
      ...['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
      ...['scripts/build.mjs', 'scripts/compile.mjs', 'scripts/keep-code.cjs'],
      ...files('src'),
      ...files('web'),
    ],
    () => {
      run(process.execPath, ['scripts/build.mjs'])
      run(process.execPath, ['scripts/compile.mjs'])
    },
    // Compiled code can be used only by this version of Node.
    process.version,
  )

/** Runs `work` if the hash of these inputs and of `maker` differs from the hash in the stamp file. */
function step(name, stamp, inputs, work, maker = '') {
  const stampFile = path.join(root, stamp)
  const hash = createHash('sha256').update(maker)
  for (const file of inputs)
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(path.join(root, file)))
      .update('\0')
  const wanted = hash.digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return
  console.error(`setup: ${name}`)
  work()
  mkdirSync(path.dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, wanted)
}

function run(command, args) {
  try {
    execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  } catch (error) {
    console.error(
      `setup: ${command} ${args[0]} failed${error.status ? ` with exit code ${error.status}` : `: ${error.code}`}`,
    )
    process.exit(1)
  }
}

function files(folder) {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort()
}
