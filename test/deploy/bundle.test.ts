import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { GATEWAY_COMMANDS } from '../../src/commands/program/product.ts'
import { runProgram } from '../support/sites/program.ts'
import { Site } from '../support/sites/site.ts'
import { Workplace } from '../support/sites/workplace.ts'
import { served } from './served.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const place = new Workplace()
afterAll(() => place[Symbol.dispose]())

const make = (product: string) =>
  void execFileSync(process.execPath, [path.join(root, 'scripts/bundle.mjs'), product, place.at(product)], {
    stdio: 'pipe',
  })
const read = (...names: string[]) => readFileSync(place.at(...names), 'utf8')

interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}
const manifest = (...folder: string[]) => JSON.parse(read(...folder, 'package.json')) as Manifest

/** Names of the packages in a folder of packages. */
function packagesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) =>
    name.startsWith('@') ? readdirSync(path.join(folder, name)).map((one) => `${name}/${one}`) : [name],
  )
}

function describeProduct(product: string): void {
  test('tells the version of the package, and brings the licence of everything in it', () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest
    const { stdout } = spawnSync(place.at(product, 'dist/main.js'), ['version'], {
      cwd: '/',
      env: place.env,
      encoding: 'utf8',
    })
    expect([stdout.trim(), manifest(product).version, manifest(product).name]).toEqual([
      version,
      version,
      product,
    ])
    const licenses = read(product, 'dist/compiled/program/LICENSES')
    for (const name of ['@grpc/grpc-js', 'pino', 'runbook-agent', 'yaml'])
      expect(licenses).toMatch(new RegExp(`^${name} \\d`, 'm'))
  })

  test('has the name and version of each package where scanners look for them', () => {
    const names = packagesIn(place.at(product, 'node_modules'))
    const { dependencies, optionalDependencies } = manifest(product)
    expect(names).toEqual(expect.arrayContaining(Object.keys({ ...dependencies, ...optionalDependencies })))
    for (const name of names)
      expect(manifest(product, 'node_modules', name)).toMatchObject({
        name,
        version: expect.stringMatching(/^\d/) as string,
      })
    // Packages whose code is in the chunks have no code of their own.
    expect(readdirSync(place.at(product, 'node_modules/pino'))).toEqual(['package.json'])
  })

  test('has no path of the machine that made it', () => {
    const folder = place.at(product, 'dist/compiled/program')
    const texts = readdirSync(folder).filter((name) => /[.](js|map)$/.test(name))
    expect(texts.filter((name) => readFileSync(path.join(folder, name), 'latin1').includes(root))).toEqual([])
  })
}

describe('the product of the gateway', () => {
  beforeAll(() => make('runbook-gateway'))
  describeProduct('runbook-gateway')

  test('runs gateway, agent and executions anywhere, with nothing installed', async () => {
    expect(readdirSync(place.at('runbook-gateway/dist/web'))).toEqual(
      expect.arrayContaining(['index.html', 'assets']),
    )
    const { answer, code } = await served(
      place.at('runbook-gateway/dist/main.js'),
      place,
      'echo from the bundle; exit 3',
    )
    expect(answer).toMatchObject({ output: 'from the bundle\n', exit_code: 3 })
    expect(code).toBe(0)
  })
})

describe('the product of the agent', () => {
  beforeAll(() => make('runbook-agent'))
  describeProduct('runbook-agent')

  test('imports these packages, and none of the gateway', () => {
    const { dependencies, optionalDependencies } = manifest('runbook-agent')
    expect(Object.keys(dependencies).toSorted()).toEqual([
      '@grpc/grpc-js',
      '@grpc/proto-loader',
      '@inquirer/input',
      '@inquirer/password',
      '@inquirer/select',
      'commander',
      'koffi',
      'node-pty',
      'pino',
      'pino-pretty',
      'prom-client',
      're2js',
      'tmp-promise',
      'valibot',
      'yaml',
    ])
    const others = Object.keys(optionalDependencies)
    expect(others.filter((name) => !/^@(aws-sdk|smithy)\//.test(name))).toEqual([])
  })

  test('has at most 105 packages and 60 MB, and no page', () => {
    const folder = place.at('runbook-agent')
    const files = readdirSync(folder, { recursive: true }).map((name) =>
      statSync(path.join(folder, String(name))),
    )
    const bytes = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)
    expect(bytes).toBeLessThan(60e6)
    expect(packagesIn(path.join(folder, 'node_modules')).length).toBeLessThanOrEqual(105)
    expect(existsSync(path.join(folder, 'dist/web'))).toBe(false)
  })

  test('passes doctor, runs a runbook and a local command, and shows the session', async () => {
    await using site = await Site.start({
      runbooks: { 'ops/hello.runbook.sh': 'echo hello {{ .name }}; exit 3\n' },
    })
    vi.stubEnv('AGENT_PRODUCT', place.at('runbook-agent'))
    try {
      await site.agent.stop()
      await site.startAgent()
      const client = {
        HOOP_APIURL: `http://${site.address}`,
        HOOP_GRPCURL: site.grpc,
        HOOP_TOKEN: site.token,
      }
      const run = (line: string, env: Readonly<Record<string, string>> = client) =>
        runProgram(site.place, line.split(' '), env)
      expect(await run('run bash ops/hello.runbook.sh -p name=world')).toMatchObject({
        code: 3,
        stdout: 'hello world\n',
      })
      expect(await run('exec --local sh -i echo -- sh', {})).toMatchObject({ code: 0, stdout: '\n' })
      const { stdout } = await run('sessions list')
      expect(JSON.parse(stdout)).toMatchObject([{ connection: 'bash', exit_code: 3 }])
      const doctor = await run('doctor --json --key-file agent.credential')
      const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; level: string }[] }
      expect(checks).toContainEqual(expect.objectContaining({ name: 'health check', level: 'ok' }))
      expect(checks.filter(({ level }) => level === 'broken')).toEqual([])
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test.each([
    ...GATEWAY_COMMANDS,
    ...GATEWAY_COMMANDS.map((name) => `help ${name}`),
    'gateway --config gateway.yaml',
    'gateway --help',
    'config check --gateway gateway.yaml',
    'config print gateway.yaml',
    'config schema gateway',
    'audit verify --state state',
    'exec --local bash --config gateway.yaml -i true',
    'run --local bash one.runbook.sh --config gateway.yaml',
    'service print --gateway',
  ])('answers %s with the product that can do it, and exit code 64', (line) => {
    place.write('gateway.yaml', 'connections: []\n')
    place.write('one.runbook.sh', 'true\n')
    const { status, stderr } = spawnSync(place.at('runbook-agent/dist/main.js'), line.split(' '), {
      cwd: place.path,
      env: place.env,
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([64, expect.stringContaining('product runbook-gateway')])
  })
})
