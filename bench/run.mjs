#!/usr/bin/env node
// `npm run bench -- [--rounds 5] [--only NAME,NAME] [--before FOLDER] [--node FILE] [--scale 1] [--json]`:
// measures the built program (dist/main.js) as a process, in turn with its peers, and prints which goals it
// reaches. docs/performance.md explains the figures. The results of a full run are kept in bench/results.json
// and bench/results/. Results with --only or --scale are not kept. `npm run bench -- native` is
// bench/native.mjs, `npm run bench -- page` bench/page.mjs, `npm run bench -- slow-line` bench/slow-line.mjs.
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { contestants } from './measure/contestants.mjs'
import { Driver } from './measure/driver.mjs'
import { buildGoPrograms } from './measure/go-programs.mjs'
import { MEASURES, measure } from './measure/measures.mjs'
import { growthTable, verdictTable } from './report/tables.mjs'
import { makeRepository } from './measure/repository.mjs'
import { describe, keep } from './report/results.mjs'
import { runFolder } from './run-folder.mjs'
import { verdicts } from './report/verdicts.mjs'

const other = { native: './native.mjs', page: './page.mjs', 'slow-line': './slow-line.mjs' }[process.argv[2]]
if (other !== undefined) {
  process.argv.splice(2, 1)
  await import(other)
  process.exit()
}
const { rounds, only, before, node, scale, json } = options()
const folder = runFolder()
const { driver, targets, missing, stop } = await prepare()
const repository = makeRepository(path.join(folder, 'runbooks'))

/** @type {Record<string, Record<string, number[]>>} */
const figures = {}
for (let number = 1; number <= rounds; number++) await runRound(number)
const results = describe({ rounds, missing, figures })
if (only === undefined && scale === 1) keep(results)
process.stdout.write(json ? `${JSON.stringify(results)}\n` : text())
await stop()

async function prepare() {
  const go = buildGoPrograms(path.join(folder, 'bin'))
  if (go === undefined) {
    const missing = ['all but the client commands: the driver needs Go, which is not installed']
    return { driver: undefined, targets: new Map(), missing, stop: async () => undefined }
  }
  mkdirSync(path.join(folder, 'runs'))
  const driver = new Driver(go.driver, path.join(folder, 'runs'), scale)
  return { driver, ...(await contestants({ folder, go, before, node })) }
}

async function runRound(number) {
  for (const name of only ?? Object.keys(MEASURES)) {
    if (MEASURES[name].once && number > 1) continue
    process.stderr.write(`round ${number} of ${rounds}: ${name}\n`)
    const record = (figure, contestant, value) => ((figures[figure] ??= {})[contestant] ??= []).push(value)
    await measure(name, { driver, targets, folder, repository, scale, number, record })
  }
}

function text() {
  const parts = [
    verdictTable(verdicts(figures)),
    growthTable(figures),
    ...missing.map((what) => `left out: ${what}`),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function options() {
  const text = { type: 'string' }
  try {
    const known = {
      rounds: text,
      only: text,
      before: text,
      node: text,
      scale: text,
      json: { type: 'boolean' },
    }
    const {
      rounds = '5',
      only,
      before,
      node,
      scale = '1',
      json = false,
    } = parseArgs({ options: known }).values
    if (!/^[1-9]\d?$/.test(rounds)) throw new Error('--rounds must be a number from 1 to 99')
    if (!(Number(scale) > 0 && Number(scale) <= 1)) throw new Error('--scale must be above 0 and at most 1')
    const names = only?.split(',')
    const unknown = names?.find((name) => !Object.hasOwn(MEASURES, name))
    if (unknown !== undefined)
      throw new Error(`--only knows ${Object.keys(MEASURES).join(', ')}, not "${unknown}"`)
    return { rounds: Number(rounds), only: names, before, node, scale: Number(scale), json }
  } catch (error) {
    process.stderr.write(`bench: ${error.message}\n`)
    process.exit(64)
  }
}
