import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { clearTimeout, setTimeout } from 'node:timers'

/** Dependencies write their caches there: the copy has its own. */
const CACHES = new Set(['.cache', '.experimental-vitest-cache', '.vite', '.vite-temp', '.vitest'])

const BUILD_MS = 300_000
/** A mutant that waits where the tests do not is found after this time of one test. */
const TEST_MS = 60_000

/**
 * A mutant may signal every process and write to every path. So it sees only its own processes, and can write only to
 * the copy, and to a /tmp and a /dev/shm of its own, which go with it. The shell collects processes whose parents have ended.
 */
const APART = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
const READ_ONLY = [
  'mount --make-rprivate /',
  'mount -t tmpfs tmpfs /dev/shm',
  'mkdir /dev/shm/copy',
  'mount --bind "$1" /dev/shm/copy',
  'mount -t tmpfs tmpfs /tmp',
  'mkdir -p "$1"',
  'mount --bind /dev/shm/copy "$1"',
  'mount -o remount,ro,bind /',
  'cd "$1" && shift && "$@"; exit $?',
].join(' && ')

/** @throws Error where mutants could reach what is not theirs */
export function checkApart() {
  if (spawnSync(APART[0], [...APART.slice(1), 'sh', '-c', 'mount --make-rprivate /']).status === 0) return
  throw new Error(
    'mutants run in namespaces of their own, which needs Linux, unshare and root; nothing was run',
  )
}

/** A copy of the files that git knows, or would add, with the dependencies linked. */
export class Scratch {
  #folder = mkdtempSync(path.join(tmpdir(), 'runbook-mutation-'))
  #child

  constructor(root) {
    const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root })
    for (const file of listed.toString().split('\0').filter(Boolean))
      if (existsSync(path.join(root, file))) cpSync(path.join(root, file), path.join(this.#folder, file))
    const modules = path.join(this.#folder, 'node_modules')
    mkdirSync(modules)
    for (const name of readdirSync(path.join(root, 'node_modules')).filter((name) => !CACHES.has(name)))
      symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name))
  }

  /** Builds the program, without a mutant, for tests that start some of it. @throws Error */
  async build() {
    const code = await this.#run([process.execPath, 'scripts/build.mjs'], BUILD_MS)
    if (code !== 0) throw new Error(`the copy cannot be built: scripts/build.mjs ended with ${code}`)
  }

  read(file) {
    return readFileSync(path.join(this.#folder, file), 'utf8')
  }

  write(file, text) {
    writeFileSync(path.join(this.#folder, file), text)
  }

  has(file) {
    return existsSync(path.join(this.#folder, file))
  }

  /** A test file, or those below a folder. */
  testsOf(name) {
    if (name.endsWith('.test.ts')) return this.has(name) ? [name] : []
    const below = readdirSync(path.join(this.#folder, name), { recursive: true })
    return below.filter((one) => one.endsWith('.test.ts')).map((one) => `${name}/${one}`)
  }

  /** Test files that lie in a folder itself. */
  testsIn(folder) {
    if (!this.has(folder)) return []
    const names = readdirSync(path.join(this.#folder, folder)).filter((name) => name.endsWith('.test.ts'))
    return names.map((name) => `${folder}/${name}`)
  }

  /**
   * Runs tests in this order until the first that fails.
   * @returns {Promise<{ passed: boolean, ms: number, why: string, times: Map<string, number> }>} times of files in ms
   */
  async test(files, limitMs) {
    const result = path.join(this.#folder, 'mutation-result.json')
    rmSync(result, { force: true })
    const began = performance.now()
    const order = { MUTATION_ORDER: files.join() }
    const code = await this.#run([...VITEST, `--outputFile=${result}`, ...files], limitMs, order)
    const ms = performance.now() - began
    if (code === 0) return { passed: true, ms, why: '', times: this.#timesIn(result) }
    const why = code === null ? `no end after ${Math.round(ms / 1000)} s` : failureIn(result)
    return { passed: false, ms, why, times: new Map() }
  }

  /** Ends what runs there. */
  stop() {
    if (this.#child !== undefined) kill(this.#child)
  }

  remove() {
    this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #timesIn(result) {
    const { testResults } = JSON.parse(readFileSync(result, 'utf8'))
    const timeOf = ({ name, startTime, endTime }) => [path.relative(this.#folder, name), endTime - startTime]
    return new Map(testResults.map(timeOf))
  }

  /** @returns {Promise<number | null>} null where it was ended */
  #run(command, limitMs, more = {}) {
    const args = [
      ...APART.slice(1),
      'sh',
      '-c',
      READ_ONLY,
      'sh',
      this.#folder,
      'nice',
      '-n',
      '10',
      ...command,
    ]
    const env = { ...process.env, CI: '', TMPDIR: '/dev/shm', ...more }
    const child = (this.#child = spawn(APART[0], args, { stdio: 'ignore', env }))
    const limit = setTimeout(() => kill(child), limitMs)
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => {
        clearTimeout(limit)
        resolve(code)
      })
    })
  }
}

/** Of a child that did not start, our own group would get the signal. */
function kill(child) {
  if (child.pid !== undefined) child.kill('SIGKILL')
}

const VITEST = [
  ...[
    process.execPath,
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config=vitest.mutation.config.ts',
    '--bail=1',
    '--maxWorkers=1',
    '--reporter=json',
  ],
  ...['--experimental.fsModuleCache', `--testTimeout=${TEST_MS}`, `--hookTimeout=${TEST_MS}`],
]

function failureIn(result) {
  if (!existsSync(result)) return 'the tests could not be loaded'
  const { testResults } = JSON.parse(readFileSync(result, 'utf8'))
  for (const { name, assertionResults, status, message } of testResults) {
    const failed = assertionResults.find((test) => test.status === 'failed')
    if (failed !== undefined) return `${path.basename(name)}: ${failed.fullName}`
    if (status === 'failed') return `${path.basename(name)}: ${message.split('\n', 1)[0]}`
  }
  return 'an error outside of the tests'
}
