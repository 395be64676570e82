import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import path from 'node:path'
import { expect, it } from 'vitest'
import { main, runProgram } from '../support/sites/program.ts'
import { Site } from '../support/sites/site.ts'
import { Workplace } from '../support/sites/workplace.ts'

/** Tells at the end what became of the code that was made at the build. */
const REPORT = `const vm = require('node:vm')
  const { Script } = vm
  let report = 'no script'
  vm.Script = class extends Script {
    constructor(source, options) {
      super(source, options)
      if (options?.cachedData) report = 'rejected: ' + this.cachedDataRejected
    }
  }
  process.on('exit', () => process._rawDebug(report))`

it('agent, gateway and the commands of a client take the code that was made at the build', async () => {
  using hook = new Workplace()
  const env = { NODE_OPTIONS: `--require=${hook.write('report.cjs', REPORT, 0o644)}` }
  await using site = await Site.start({ env })
  const client = {
    HOOP_APIURL: `http://${site.address}`,
    HOOP_GRPCURL: site.grpc,
    HOOP_TOKEN: site.token,
    ...env,
  }
  const said = ['exec bash -i true', 'sessions', 'version', '--help'].map(async (line) => {
    const { stderr } = await runProgram(site.place, line.split(' '), client)
    return stderr
  })
  expect(await Promise.all(said)).toEqual(said.map(() => 'rejected: false\n'))
  await site.agent.stop()
  await site.gateway.stop()
  expect(site.agent.stderr).toMatch(/^rejected: false$/m)
  expect(site.gateway.stderr).toMatch(/^rejected: false$/m)
})

it('the program says the same with code that V8 refuses, and with none', () => {
  using place = new Workplace()
  const [dist, root] = [path.dirname(main), path.resolve(path.dirname(main), '..')]
  cpSync(dist, place.at('dist'), { recursive: true })
  for (const name of ['node_modules', 'proto', 'package.json'])
    symlinkSync(path.join(root, name), place.at(name))
  const sessions = () => {
    const env = { ...place.env, HOOP_APIURL: 'http://127.0.0.1:1', HOOP_TOKEN: 'none' }
    const { status, stderr } = spawnSync(process.execPath, [place.at('dist/main.js'), 'sessions'], {
      env,
      encoding: 'utf8',
    })
    return { status, stderr }
  }
  const first = sessions()
  expect(first).toEqual({ status: 69, stderr: expect.stringContaining('cannot be reached') as string })
  writeFileSync(place.at('dist/compiled/program/sessions.code'), 'made by another version')
  expect(sessions()).toEqual(first)
  // A chunk that is in no pack has a file of its own.
  writeFileSync(place.at('dist/compiled/program/sessions.js'), '(function () {})')
  expect(sessions()).toEqual(first)
  rmSync(place.at('dist/compiled'), { recursive: true })
  expect(sessions()).toEqual(first)
})

it('a chunk that throws while it is loaded throws again, and is never half loaded', () => {
  using place = new Workplace()
  cpSync(main, place.at('dist/main.js'))
  const chunk = (name: string, body: string) =>
    place.write(`dist/compiled/program/${name}.js`, `(function (exports, require) { ${body} })`)
  chunk('help', '')
  chunk('broken', "exports.half = 1; throw new Error('broken')")
  const load = "try { console.log(require('./broken.js')) } catch ({ message }) { console.log(message) }"
  chunk('main', `exports.main = async () => { ${load}; ${load} }`)
  const { stdout } = spawnSync(process.execPath, [place.at('dist/main.js')], {
    env: place.env,
    encoding: 'utf8',
  })
  expect(stdout).toBe('broken\nbroken\n')
})

const packs = path.join(path.dirname(main), 'compiled/program')
const NAMES = ['start', 'gateway', 'exec', 'run', 'sessions', 'help', 'version']

it.each(NAMES)('the pack %s has only characters of ASCII: others double its memory', (name) => {
  const source = readFileSync(path.join(packs, `${name}.js`), 'utf8')
  expect(/.{0,40}[^\0-\x7f].{0,40}/.exec(source)?.[0]).toBeUndefined()
})

it('a map leads from each pack to the sources', () => {
  for (const name of NAMES) {
    const map = new SourceMap(JSON.parse(readFileSync(path.join(packs, `${name}.js.map`), 'utf8')) as never)
    const lines = readFileSync(path.join(packs, `${name}.js`), 'latin1').split('\n')
    // The text of the help: where it stands in the pack, and where it stands in the source.
    const line = lines.findIndex((text) => text.includes('(--help shows the options)'))
    const column = lines[line]?.indexOf('(--help shows the options)') ?? 0
    const { originalSource, originalLine } = map.findEntry(line, column) as Record<string, unknown>
    expect(originalSource).toMatch(/src\/commands\/program\/program\.ts$/)
    const source = readFileSync(path.resolve(packs, '../../../src/commands/program/program.ts'), 'utf8')
    expect(
      source
        .split('\n')
        .slice(Number(originalLine) - 2, Number(originalLine) + 2)
        .join(),
    ).toContain('(--help shows the options)')
  }
})

it('a chunk that is loaded later has the names that are taken of it', () => {
  const folder = path.join(path.dirname(main), 'compiled/program')
  const files = readdirSync(folder).filter((name) => /^[A-Z0-9]{8}\.js$/.test(name))
  const chunks = new Map(files.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]))
  const later =
    /const\s?\{([\w$:,\s]+)\}=await Promise\.resolve\(\)\.then\(\(\)=>__toESM\(require\("\.\/(\w+\.js)"\)\)\)/g
  const taken = [...chunks.values()].flatMap((code) =>
    [...code.matchAll(later)].flatMap(([, names = '', chunk = '']) =>
      names.split(',').map((name) => [chunk, name.split(':')[0] ?? ''] as const),
    ),
  )
  expect(taken.map(([, name]) => name)).toEqual(expect.arrayContaining(['Webhook', 'parse']))
  const missing = taken.filter(([chunk, name]) => !chunks.get(chunk)?.includes(`${name}:()=>`))
  expect(missing).toEqual([])
})
