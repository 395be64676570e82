import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'

const PIECE_BYTES = 16 * 1024 * 1024
const PIECES = 16
const TOTAL_MIB = (PIECE_BYTES * PIECES) / 1024 ** 2

/**
 * 256 MiB from a child through the agent to a gateway, not capped, every byte compared.
 * @param {import('./world.mjs').World} world
 * @param {ReturnType<typeof makeBulk>} bulk
 * @param {import('./samples.mjs').Samples} samples
 */
export async function measureOutput({ agent, scripted }, bulk, samples) {
  const check = new Check(bulk.piece)
  const cpuMs = agent.cpuMs()
  const startedAt = performance.now()
  const command = ['cat', ...new Array(PIECES).fill(bulk.file)]
  await scripted.execute(command, '', 'client', (bytes) => check.take(bytes))
  const seconds = (performance.now() - startedAt) / 1000
  check.finish()
  samples.add('output', 'MiB/s', TOTAL_MIB / seconds)
  samples.add('CPU of the agent (output)', 'ms/MiB', (agent.cpuMs() - cpuMs) / TOTAL_MIB)
}

/**
 * A file of random bytes, and what is in it.
 * @param {string} folder
 */
export function makeBulk(folder) {
  const piece = randomBytes(PIECE_BYTES)
  const file = path.join(folder, 'bulk')
  writeFileSync(file, piece)
  return { file, piece }
}

/** Compares with what must come next: a byte that is lost, doubled or out of place is found. */
class Check {
  #piece
  #at = 0

  constructor(piece) {
    this.#piece = piece
  }

  take(bytes) {
    for (let done = 0; done < bytes.length;) {
      const from = this.#at % PIECE_BYTES
      const length = Math.min(bytes.length - done, PIECE_BYTES - from)
      if (bytes.compare(this.#piece, from, from + length, done, done + length) !== 0)
        throw new Error(`output differs within ${length} bytes from byte ${this.#at} on`)
      this.#at += length
      done += length
    }
  }

  finish() {
    if (this.#at !== PIECE_BYTES * PIECES) throw new Error(`${this.#at} bytes of output came`)
  }
}
