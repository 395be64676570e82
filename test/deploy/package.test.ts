import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Workplace } from '../support/sites/workplace.ts'
import { served } from './served.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Lock {
  readonly packages: Readonly<Record<string, { version: string; dev?: boolean; peer?: boolean }>>
}
interface PackageFile {
  readonly path: string
  readonly size: number
}
const json = (name: string): unknown => JSON.parse(readFileSync(path.join(root, name), 'utf8'))
const manifest = json('package.json') as {
  readonly version: string
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly files: readonly string[]
}
const lock = json('package-lock.json') as Lock
const main = manifest.bin['runbook-agent'] ?? ''

const place = new Workplace()
const files: PackageFile[] = []
const folder = place.at('package')

beforeAll(() => {
  // The tree as it was built. No script runs, and nothing is asked of the registry.
  const args = ['pack', '--ignore-scripts', '--offline', '--json', '--pack-destination', place.path]
  const text = execFileSync('npm', args, { cwd: root, env: place.env, encoding: 'utf8', stdio: 'pipe' })
  const [packed] = JSON.parse(text) as [{ filename: string; files: PackageFile[] }]
  files.push(...packed.files)
  execFileSync('tar', ['xzf', place.at(packed.filename), '-C', place.path])
})

afterAll(() => place[Symbol.dispose]())

/** What npm would install: our own packages of the lockfile, those of development and optional peers left out. */
function linkDependencies(): void {
  const modules = path.join(folder, 'node_modules')
  for (const [name, { dev, peer }] of Object.entries(lock.packages)) {
    const isTopLevel = /^node_modules\/(@[^/]+\/)?[^/]+$/.test(name)
    if (!isTopLevel || dev || peer || !existsSync(path.join(root, name))) continue
    const link = path.join(folder, name)
    mkdirSync(path.dirname(link), { recursive: true })
    symlinkSync(path.join(root, name), link)
  }
  expect(readdirSync(modules)).not.toContain('vitest')
}

describe('the package', () => {
  test('has what the program needs, all that `files` promises and a licence, and nothing of tests, tools, builds or states', () => {
    const names = files.map((file) => file.path)
    expect(names).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'README.md', 'package.json', 'proto/transport.proto', main],
        ...['index.html', 'index.html.br', 'licenses.txt'].map((name) => `dist/web/${name}`),
      ]),
    )
    const promised = manifest.files.filter((entry) => !entry.startsWith('!'))
    const isThere = (entry: string) => names.some((name) => name === entry || name.startsWith(`${entry}/`))
    expect(promised.filter((entry) => !isThere(entry))).toEqual([])
    const strange = names.filter(
      (name) =>
        !/^(LICENSE|[A-Z]+\.md|package\.json)$/.test(name) &&
        !/^(dist\/([\w/.-]+\.js|package\.json|web\/[\w/.-]+)|(proto|examples|schemas|systemd|deploy|docs)\/[\w/.-]+)$/.test(
          name,
        ),
    )
    expect(strange).toEqual([])
    expect(
      names.filter((name) => /(^|\/)\.|(^|\/)(test|bench|state|coverage|node_modules)\//.test(name)),
    ).toEqual([])
  })

  test('has each source built, and nothing that an older build has left', () => {
    const sources = readdirSync(path.join(root, 'src'), { recursive: true }).map(String)
    const modules = sources.filter((name) => name.endsWith('.ts')).map((name) => name.replace(/ts$/, 'js'))
    const packed = files
      .map((file) => path.relative('dist', file.path))
      .filter((name) => !name.startsWith('..') && !name.startsWith('web/'))
    // It tells Node that the build is CommonJS.
    expect(packed.sort()).toEqual([...modules, 'package.json'].sort())
  })

  test('is small: less than nine megabytes of text, and no file that is large by mistake', () => {
    expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(9 * 1024 ** 2)
    const large = files.filter(({ size }) => size > 256 * 1024).map((file) => file.path)
    // The page's terminal and editor, and the reference of all fields of the REST interface.
    const isMeant = (name: string) =>
      /^(dist\/web\/assets\/(screen|editor-field)-[\w-]+\.js|docs\/rest\.md)$/.test(name)
    expect(large.filter((name) => !isMeant(name))).toEqual([])
  })

  test('runs from where it was unpacked, with its dependencies and no others', async () => {
    linkDependencies()
    // npm makes bins executable when it installs them; tar alone has to find it done.
    expect(statSync(path.join(folder, main)).mode & 0o111).toBe(0o111)
    const { answer, code } = await served(path.join(folder, main), place, 'echo from the package; exit 4')
    expect(answer).toMatchObject({ output: 'from the package\n', exit_code: 4 })
    expect(code).toBe(0)
  })

  test('is a program and no library: other packages see nothing of it but its version', () => {
    mkdirSync(place.at('node_modules'))
    symlinkSync(folder, place.at('node_modules', 'runbook-agent'))
    const ask = (what: string) =>
      execFileSync(
        process.execPath,
        [
          '--input-type=module',
          '--eval',
          `try { import.meta.resolve('${what}'); console.log('yes') } catch (e) { console.log(e.code) }`,
        ],
        { cwd: place.path, encoding: 'utf8' },
      ).trim()
    expect(ask('runbook-agent/package.json')).toBe('yes')
    expect(ask('runbook-agent/dist/main.js')).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED')
    expect(ask('runbook-agent')).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})

/** What the page is made of stands in its licences, which the build has found by itself. */
const ofPage = (name: string) =>
  new RegExp(`^${name.replace(/.*node_modules\//, '')}(?![\\w/-])`, 'm').test(
    readFileSync(path.join(root, 'dist/web/licenses.txt'), 'utf8'),
  )

test('the bill of materials lists every package that the program runs with, and no other', () => {
  // An empty HOME and no registry: it comes from the lockfile alone.
  const env = { ...place.env, npm_config_offline: 'true', npm_config_update_notifier: 'false' }
  const bill = JSON.parse(
    execFileSync(process.execPath, [path.join(root, 'scripts/sbom.mjs')], { env, encoding: 'utf8' }),
  ) as {
    readonly bomFormat: string
    readonly metadata: { readonly component: { readonly name: string; readonly purl: string } }
    readonly components: readonly {
      readonly name: string
      readonly version: string
      readonly licenses?: object
    }[]
  }
  expect(bill.bomFormat).toBe('CycloneDX')
  expect(bill.metadata.component).toMatchObject({
    name: 'runbook-agent',
    purl: `pkg:npm/runbook-agent@${manifest.version}`,
  })
  const locked = Object.entries(lock.packages)
    // TypeScript is an optional peer of others too, so its `dev` is not set.
    .filter(([name, { dev }]) => name !== '' && (!dev || ofPage(name)) && name !== 'node_modules/typescript')
    .map(([name, { version }]) => `${name.replace(/.*node_modules\//, '')}@${version}`)
  expect(locked).toEqual(expect.arrayContaining([expect.stringMatching(/^yaml@/)]))
  const listed = bill.components.map(({ name, version }) => `${name}@${version}`)
  expect(listed.toSorted()).toEqual([...new Set(locked)].toSorted())
  expect(bill.components.filter(({ licenses }) => licenses === undefined)).toEqual([])
})
