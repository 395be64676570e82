import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { setTimeout, clearTimeout } from 'node:timers'
import { foldersAt } from '../program.mjs'

/** Just below the maximum size of a script that a gateway accepts. */
const PIECE_BYTES = 16_000_000
const LONGEST_MS = 300_000

/** Runs `bench/driver`, which acts as the gateway and checks every byte. Runs one measure of one target at a time. */
export class Driver {
  #program
  #folder
  #piece
  #scale
  #runs = 0
  #running

  /**
   * @param {string} program
   * @param {string} folder for files of the runs
   * @param {number} scale 1, or less for a quick run
   */
  constructor(program, folder, scale) {
    this.#program = program
    this.#folder = folder
    this.#piece = path.join(folder, 'piece')
    this.#scale = scale
    writeFileSync(this.#piece, randomBytes(PIECE_BYTES))
    // The driver, the agent and its commands are one process group, which is ended at the exit.
    process.on('exit', () => this.#running?.pid && end(this.#running))
  }

  /**
   * @param {string} measure
   * @param {readonly string[]} target kind and arguments, see driver/main.go
   * @param {Readonly<Record<string, string>>} env more variables for the agent or the driver
   * @returns {Promise<Record<string, number>>}
   */
  async measure(measure, target, env = {}) {
    const folder = path.join(this.#folder, `run-${++this.#runs}`)
    mkdirSync(folder)
    const child = spawn(this.#program, [measure, String(this.#scale), this.#piece, ...target], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { PATH: process.env.PATH, ...foldersAt(path.join(folder, 'agent')), ...env },
    })
    this.#running = child
    const timer = setTimeout(() => {
      said += `\ntook longer than ${LONGEST_MS / 1000} s`
      end(child)
    }, LONGEST_MS)
    let [printed, said] = ['', '']
    child.stdout.on('data', (text) => (printed += text))
    child.stderr.on('data', (text) => (said = (said + text).slice(-2000)))
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
    clearTimeout(timer)
    this.#running = undefined
    if (code !== 0) throw new Error(`${measure} of ${target.join(' ')} failed:\n${said}`)
    return JSON.parse(printed)
  }
}

function end(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The process has already ended.
  }
}
