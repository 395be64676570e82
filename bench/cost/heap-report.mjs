// `node --import`ed into the agent: at each SIGWINCH, which means nothing to it, what V8 counts goes to HEAP_REPORT-N.
import { renameSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import v8 from 'node:v8'

let count = 0
process.on('SIGWINCH', () => {
  const file = `${process.env.HEAP_REPORT}-${count++}`
  writeFileSync(`${file}.new`, JSON.stringify(v8.getHeapStatistics()))
  renameSync(`${file}.new`, file)
})
