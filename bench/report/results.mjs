import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import process from 'node:process'
import { fileURLToPath, URL } from 'node:url'

const latest = fileURLToPath(new URL('../results.json', import.meta.url))
const folder = fileURLToPath(new URL('../results/', import.meta.url))
const repository = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Returns the results to keep: every value of every round, so that verdicts can be computed again when a goal
 * changes.
 * @param {{ rounds: number, missing: string[], figures: Record<string, Record<string, number[]>> }} run
 */
export function describe(run) {
  const commit = `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '+'}`
  const date = new Date().toISOString().replace(/\..*/, 'Z')
  return { date, commit, node: process.version, cpus: cpus().length, ...run }
}

/** Writes the results to `results.json`, and to a new file in `results/`. */
export function keep(results) {
  const text = `${JSON.stringify(results, rounded, 1).replaceAll(/\n\s+(?=[\d.-]|\])/g, ' ')}\n`
  mkdirSync(folder, { recursive: true })
  writeFileSync(latest, text)
  writeFileSync(`${folder}${results.date.replaceAll(':', '')}-${results.commit}.json`, text)
}

/** Returns all kept results, oldest first. */
export function keptResults() {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((name) => JSON.parse(readFileSync(`${folder}${name}`, 'utf8')))
}

function rounded(_, value) {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value
}

function git(...args) {
  return execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim()
}
