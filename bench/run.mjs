#!/usr/bin/env node
// `npm run bench -- [--json] [--rounds 3] [--profile folder]`: measures the built program (dist/main.js) from the
// outside, as its users meet it: agent and gateway are processes of their own. Every figure is checked for right bytes.
import path from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { makeBulk } from './output.mjs'
import { jsonLine, table } from './report.mjs'
import { makeRepository } from './repository.mjs'
import { runRound } from './round.mjs'
import { runFolder } from './run-folder.mjs'
import { Samples } from './samples.mjs'

const { json, rounds, profile } = options()
const folder = runFolder(profile)

const samples = new Samples()
const materials = { repository: makeRepository(path.join(folder, 'runbooks')), bulk: makeBulk(folder) }
for (let round = 1; round <= rounds; round++) {
  process.stderr.write(`round ${round} of ${rounds}\n`)
  await runRound(path.join(folder, `round-${round}`), materials, samples)
}
process.stdout.write(`${json ? jsonLine(samples, rounds) : table(samples, rounds)}\n`)

function options() {
  const known = { json: { type: 'boolean' }, rounds: { type: 'string' }, profile: { type: 'string' } }
  try {
    const { json = false, rounds = '3', profile } = parseArgs({ options: known }).values
    if (!/^[1-9]\d?$/.test(rounds)) throw new Error('--rounds must be a number from 1 to 99')
    return { json, rounds: Number(rounds), profile }
  } catch (error) {
    process.stderr.write(`bench: ${error.message}\n`)
    process.exit(64)
  }
}
