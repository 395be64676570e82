import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { clearTimeout, setTimeout } from 'node:timers'
import { fileURLToPath, URL } from 'node:url'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const START_MS = 20_000
const STOP_MS = 10_000
/** Linux counts CPU time in ticks of this many a second, whatever the kernel's own clock (proc(5)). */
const TICKS_PER_SECOND = 100

/** @type {Set<Program>} */
const running = new Set()

/** Ends what is still there, at once; for the way out. */
export function killAll() {
  for (const program of running) program.kill()
}

/** `node dist/main.js ...` as a process of its own. */
export class Program {
  /** Given to node itself; `--profile` puts `--cpu-prof` here. */
  static nodeArgs = []
  #child
  #logFile
  #exited
  #printed = ''

  /**
   * @param {readonly string[]} args
   * @param {Readonly<Record<string, string>>} env is added to its own folders
   * @param {string} place beside it lie its folders and its log: `<place>-state`, `<place>.log`
   */
  constructor(args, env, place) {
    this.#logFile = `${place}.log`
    const log = openSync(this.#logFile, 'a', 0o600)
    this.#child = spawn(process.execPath, [...Program.nodeArgs, main, ...args], {
      stdio: ['ignore', 'pipe', log],
      env: { PATH: process.env.PATH, ...foldersAt(place), ...env },
    })
    closeSync(log)
    this.#child.stdout.setEncoding('utf8').on('data', (text) => (this.#printed += text))
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve))
    running.add(this)
  }

  /**
   * Waits for a sign of its start; fails when it ends before, or takes too long.
   * @template T
   * @param {Promise<T>} sign
   * @returns {Promise<T>}
   */
  async started(sign) {
    let timer
    const late = new Promise((resolve) => (timer = setTimeout(resolve, START_MS)))
    const failed = Promise.race([late, this.#exited]).then(() => this.#fail('did not start'))
    failed.catch(() => undefined)
    try {
      return await Promise.race([sign, failed])
    } finally {
      clearTimeout(timer)
    }
  }

  /** The first line it prints: with `--json` the gateway says there where it listens. */
  firstLine() {
    const line = new Promise((resolve) => {
      const look = () => this.#printed.includes('\n') && resolve(this.#printed.split('\n')[0])
      this.#child.stdout.on('data', look)
      look()
    })
    return this.started(line)
  }

  /** CPU time of the process itself so far, in milliseconds; that of its children is not part of it. */
  cpuMs() {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND
  }

  /** Resident memory in MiB. */
  rssMiB() {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))
    return Number(kib) / 1024
  }

  kill() {
    if (this.#child.pid) this.#child.kill('SIGKILL')
  }

  /** Ends it in good order. Figures of a program that does not end well are not to be trusted. */
  async stop() {
    if (this.#child.pid) this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.kill(), STOP_MS)
    const code = await this.#exited
    clearTimeout(timer)
    running.delete(this)
    if (code !== 0) this.#fail(`ended with exit code ${code}`)
  }

  #fail(what) {
    const name = this.#child.spawnargs.slice(-3).join(' ')
    throw new Error(`${name} ${what}:\n${readFileSync(this.#logFile, 'utf8').slice(-2000)}`)
  }
}

/** What a program would else take of whoever runs the benchmark: home, /tmp, /dev/shm, /var/lib. */
function foldersAt(place) {
  const folder = path.dirname(place)
  return {
    HOME: folder,
    TMPDIR: folder,
    RUNTIME_DIRECTORY: `${place}-runtime`,
    STATE_DIRECTORY: `${place}-state`,
  }
}
