#!/usr/bin/env node
// `npm run bench [-- --json] [-- --rounds 3]`: measures the built program (dist/main.js) from the outside, as its
// users meet it: the agent and the gateway are processes of their own. Every figure is checked for right bytes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { killAll } from './program.mjs'
import { jsonLine, table } from './report.mjs'
import { makeRepository } from './repository.mjs'
import { runRound } from './round.mjs'
import { Samples } from './samples.mjs'

const { json, rounds } = options()
const folder = mkdtempSync(path.join(tmpdir(), 'bench-'))
// Also on Ctrl-C and after an error: no process and no file of ours stays.
process.on('exit', () => {
  killAll()
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const samples = new Samples()
makeRepository(path.join(folder, 'runbooks'))
for (let round = 1; round <= rounds; round++) {
  process.stderr.write(`round ${round} of ${rounds}\n`)
  await runRound(path.join(folder, `round-${round}`), path.join(folder, 'runbooks'), samples)
}
process.stdout.write(`${json ? jsonLine(samples, rounds) : table(samples, rounds)}\n`)

function options() {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '3' } },
  })
  const count = Number(values.rounds)
  if (Number.isInteger(count) && count > 0) return { json: values.json, rounds: count }
  process.stderr.write('bench: --rounds must be a number from 1 on\n')
  process.exit(64)
}
