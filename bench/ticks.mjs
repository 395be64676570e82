// Measures what a call of `process.nextTick` costs after V8 has collected the whole heap: in a process that keeps an
// object of such a call (src/wire/tick-objects.ts), and in one that does not. Needs a build (`npm run build`).
import { spawnSync } from 'node:child_process'
import { setTimeout } from 'node:timers'
import { fileURLToPath } from 'node:url'
import { keepTickObject } from '../dist/wire/tick-objects.js'

const CALLS = 200_000
const WARMING_ROUNDS = 3
const ROUNDS = 8

const [way] = process.argv.slice(2)
if (way === undefined) {
  for (const each of ['kept', 'not-kept']) {
    const words = ['--expose-gc', fileURLToPath(import.meta.url), each]
    spawnSync(process.execPath, words, { stdio: 'inherit' })
  }
} else await measure()

async function measure() {
  if (way === 'kept') keepTickObject()
  for (let n = 0; n < WARMING_ROUNDS; n++) {
    await round()
    await collected()
  }
  const rounds = []
  for (let n = 0; n < ROUNDS; n++) rounds.push(await round())
  console.log(`${way}: ${((Math.min(...rounds) / CALLS) * 1000).toFixed(3)} µs of CPU time a call`)
}

/** Resolves to the CPU time of one call after the other, in ms. */
function round() {
  return new Promise((resolve) => {
    const from = process.cpuUsage()
    let left = CALLS
    const tick = () => {
      left -= 1
      if (left > 0) return process.nextTick(tick)
      const { user, system } = process.cpuUsage(from)
      resolve((user + system) / 1000)
    }
    tick()
  })
}

/** Collects the heap while no call waits. */
function collected() {
  return new Promise((resolve) =>
    setTimeout(() => {
      globalThis.gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      globalThis.gc()
      setTimeout(resolve, 1)
    }, 1),
  )
}
