import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { clearTimeout, setTimeout } from 'node:timers'
import { fileURLToPath, URL } from 'node:url'

/** The built program. */
export const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const START_MS = 60_000
const STOP_MS = 10_000

/** @type {Set<Program>} */
const running = new Set()

/** Kills all programs that still run. For the exit of the benchmark. */
export function killAll() {
  for (const program of running) program.kill()
}

/** A process `node dist/main.js ...`. */
export class Program {
  /** Options of node itself. `--profile` adds `--cpu-prof`. */
  static nodeArgs = []
  #child
  #logFile
  #exited
  #printed = ''

  /**
   * @param {readonly string[]} args
   * @param {Readonly<Record<string, string>>} env is added to the variables of its own folders
   * @param {string} place prefix of the paths of its folders and its log: `<place>-state`, `<place>.log`
   * @param {{ wrapper?: readonly string[], nodeArgs?: readonly string[] }} how a program that starts it in
   * its own place
   */
  constructor(args, env, place, { wrapper = [], nodeArgs = Program.nodeArgs } = {}) {
    this.#logFile = `${place}.log`
    const log = openSync(this.#logFile, 'a', 0o600)
    const [program, ...rest] = [...wrapper, process.execPath, ...nodeArgs, main, ...args]
    this.#child = spawn(program, rest, {
      stdio: ['ignore', 'pipe', log],
      env: { PATH: process.env.PATH, ...foldersAt(place), ...env },
    })
    closeSync(log)
    this.#child.stdout.setEncoding('utf8').on('data', (text) => (this.#printed += text))
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve))
    running.add(this)
  }

  /**
   * Waits for a sign that the program has started. Fails if the program ends before, or takes too long.
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

  /** Returns the first printed line. With `--json` this line has the gateway's addresses. */
  firstLine() {
    const line = new Promise((resolve) => {
      const look = () => this.#printed.includes('\n') && resolve(this.#printed.split('\n')[0])
      this.#child.stdout.on('data', look)
      look()
    })
    return this.started(line)
  }

  get pid() {
    return this.#child.pid
  }

  signal(name) {
    if (this.#child.pid) this.#child.kill(name)
  }

  kill() {
    if (this.#child.pid) this.#child.kill('SIGKILL')
  }

  /**
   * Stops the program in order. Fails if the program does not stop cleanly, because then its figures may be wrong.
   */
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

/** Folders of a program's own, so that it does not use the user's home, /tmp, /dev/shm and /var/lib. */
export function foldersAt(place) {
  const folder = path.dirname(place)
  return {
    HOME: folder,
    TMPDIR: folder,
    RUNTIME_DIRECTORY: `${place}-runtime`,
    STATE_DIRECTORY: `${place}-state`,
  }
}
