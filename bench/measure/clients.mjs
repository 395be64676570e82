import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { fileURLToPath, URL } from 'node:url'
import { foldersAt, main } from '../program.mjs'
import { RUNBOOK } from './repository.mjs'
import { percentile } from '../samples.mjs'

const smallest = fileURLToPath(new URL('../peer-node/client.cjs', import.meta.url))
const TIMES = 10
const LONGEST_MS = 60_000

/** Command lines with their expected output. The lower bounds are node itself and the smallest client in Node. */
const COMMANDS = {
  node: { args: ['-e', '0'], expected: /^$/ },
  exec: { args: [main, 'exec', 'sh', '-i', 'true'], expected: /^$/ },
  run: { args: [main, 'run', 'sh', RUNBOOK, '-p', 'word=one'], expected: /^one\n$/ },
  sessions: { args: [main, 'sessions', '--json'], expected: /"id"/ },
  'smallest exec': { args: [smallest, 'exec', 'sh', 'true'], expected: /^$/ },
  'smallest run': { args: [smallest, 'run', 'sh', RUNBOOK, 'word=one'], expected: /^one\n$/ },
  'smallest sessions': { args: [smallest, 'sessions'], expected: /"id"/ },
  '--help': { args: [main, '--help'], expected: /Usage/ },
  version: { args: [main, 'version'], expected: /\d/ },
}

/**
 * Runs client processes against the embedded gateway, one of each kind in turn. Returns the median of each in
 * milliseconds.
 * @param {Awaited<ReturnType<typeof import('./site.mjs').openSite>>} site
 * @param {string} folder
 * @param {number} scale
 */
export function measureClients(site, folder, scale) {
  const env = { PATH: process.env.PATH, ...foldersAt(path.join(folder, 'client')), ...site.env }
  const names = Object.keys(COMMANDS)
  const took = new Map(names.map((name) => [name, []]))
  for (const name of names) once(COMMANDS[name], env)
  for (let n = 0; n < Math.max(2, TIMES * scale); n++)
    for (const name of names) took.get(name).push(once(COMMANDS[name], env))
  return Object.fromEntries([...took].map(([name, ms]) => [name, percentile(ms, 50)]))
}

function once({ args, expected }, env) {
  const startedAt = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    env,
    encoding: 'utf8',
    timeout: LONGEST_MS,
  })
  const ms = performance.now() - startedAt
  if (status !== 0 || !expected.test(stdout))
    throw new Error(`${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return ms
}
