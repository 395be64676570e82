import { spawn } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import process from 'node:process'
import { ReadStream } from 'node:tty'
import { native } from 'node-pty'

/**
 * The minimum cost of a terminal in Node. It is opened by node-pty, keys are written directly, and output is read
 * directly.
 * @param {readonly string[]} command
 * @param {(bytes: import('node:buffer').Buffer) => void} onOutput
 */
export function openTerminal([program, ...args], onOutput) {
  const { master, slave, pty } = native.open(80, 24)
  const theirs = openSync(pty, 'r+')
  const env = { PATH: process.env.PATH, TERM: 'xterm-256color' }
  const child = spawn(program, args, { stdio: [theirs, theirs, theirs], detached: true, env })
  closeSync(theirs)
  closeSync(slave)
  const line = new ReadStream(master)
  line.on('data', onOutput)
  // EIO is reported when the program has ended.
  line.on('error', () => undefined)
  return {
    type: (key) => writeSync(master, key),
    end: () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      if (child.pid) child.kill('SIGKILL')
      line.destroy()
      return ended
    },
  }
}

/**
 * @param {readonly string[]} command writes `ready` first
 * @returns {Promise<{ trip(key: import('node:buffer').Buffer): Promise<import('node:buffer').Buffer>, end():
 * Promise<void> }>}
 * `trip` types a key and waits for its echo
 */
export async function localTerminal(command) {
  let arrived
  let shown = ''
  const { type, end } = openTerminal(command, (bytes) => arrived(bytes))
  await new Promise((resolve) => {
    arrived = (bytes) => (shown += bytes.toString()).includes('ready') && resolve()
  })
  const trip = (key) => {
    const answer = new Promise((resolve) => (arrived = resolve))
    type(key)
    return answer
  }
  return { trip, end }
}
