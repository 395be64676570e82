// Loaded into the agent by `node --import`. At each SIGWINCH, which the agent ignores, writes V8's counts to
// HEAP_REPORT-N.
import { renameSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import v8 from 'node:v8'

let count = 0
process.on('SIGWINCH', () => {
  const file = `${process.env.HEAP_REPORT}-${count++}`
  writeFileSync(`${file}.new`, JSON.stringify(v8.getHeapStatistics()))
  renameSync(`${file}.new`, file)
})
