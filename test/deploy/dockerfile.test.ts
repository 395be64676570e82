import { signalChild } from '../../src/basics/signals.ts'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Workplace } from '../support/sites/workplace.ts'

// No Docker is needed: this holds the Dockerfile against the tree that it is built from.

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8')

interface Instruction {
  readonly name: string
  readonly text: string
}

/** Instructions without comments, continued lines joined, one list for each stage. */
function stages(): Instruction[][] {
  const found: Instruction[][] = []
  const text = read('Dockerfile')
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const [, name = '', rest = ''] = /^(\w+) (.*)$/.exec(line) ?? []
    if (name === 'FROM') found.push([])
    found.at(-1)?.push({ name, text: rest })
  }
  return found
}

const [build = [], image = []] = stages()
const textsOf = (stage: readonly Instruction[], name: string) =>
  stage.filter((one) => one.name === name).map(({ text }) => text)
/** Sources and target of each COPY from the build's context. */
const copies = [...build, ...image]
  .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from'))
  .map(({ text }) => text.split(' '))
const sources = copies.flatMap((words) => words.slice(0, -1))

describe('the image', () => {
  test('is copied from paths that exist', () => {
    expect(sources).toContain('src')
    expect(sources.filter((source) => !existsSync(path.join(root, source)))).toEqual([])
  })

  test('is the folder of a product', () => {
    expect(textsOf(build, 'RUN')).toContain(
      'node scripts/build.mjs && node scripts/bundle.mjs "$PRODUCT" /product',
    )
    expect(textsOf(image, 'COPY').filter((text) => text.startsWith('--from=build /product'))).toEqual([
      '--from=build /product ./',
    ])
  })

  test('has the program on its PATH', () => {
    const [, target = ''] = /ln -s (\S+) \S+/.exec(textsOf(image, 'RUN').join('\n')) ?? []
    const { bin } = JSON.parse(read('package.json')) as { bin: Record<string, string> }
    expect(path.posix.relative(textsOf(image, 'WORKDIR').join(), target)).toBe(bin['runbook-agent'])
    expect(existsSync(path.join(root, bin['runbook-agent'] ?? ''))).toBe(true)
  })

  test('is not root, under the number that the manifests name', () => {
    const [user = ''] = textsOf(image, 'USER')
    expect(image.findIndex(({ name }) => name === 'USER')).toBeGreaterThan(
      image.findLastIndex(({ name }) => name === 'RUN'),
    )
    expect(read('deploy/kubernetes/base/deployment.yaml')).toContain(`runAsUser: ${user.split(':')[0]}\n`)
  })

  test('takes nothing at the build but versions and a product, so that it holds no secret', () => {
    expect([...build, ...image].filter(({ name }) => name === 'ADD' || name === 'ARG')).toEqual([
      { name: 'ARG', text: 'PRODUCT' },
    ])
    expect([...read('Dockerfile').matchAll(/^ARG (\w+)/gm)].map(([, name]) => name)).toEqual([
      'NODE',
      'DEBIAN',
      'PRODUCT',
      'PRODUCT',
    ])
  })
})

test('nothing but what is copied reaches the build: no state, no key, no history of git', () => {
  const [first, ...allowed] = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  expect(first).toBe('*')
  expect(allowed.map((line) => line.replace(/^!/, '')).toSorted()).toEqual([...new Set(sources)].toSorted())
})

/** As nobody: permissions do not stop root. */
const NOBODY = { uid: 65534, gid: 65534 }
// Who is that user already owns the program, and may read it.
const CAN_TRY =
  process.platform === 'linux' &&
  process.geteuid?.() === 0 &&
  spawnSync('test', ['-x', tmpdir()], { ...NOBODY, cwd: '/' }).status === 0

// tini runs as the user of the commands and has the agent's environment: HOOP_KEY, in hoop's chart.
test.skipIf(!CAN_TRY).each([
  [0o711, 1, ''],
  [0o755, 0, 'KEY=a-key\0'],
])(
  'a program with mode %o has its environment read by its own user with status %i (needs root, and a temporary folder that others may enter)',
  (mode, status, text) => {
    expect(textsOf(image, 'RUN').join()).toContain('chmod 0711 /usr/bin/tini')
    using place = new Workplace()
    const program = place.at('program')
    copyFileSync('/bin/sleep', program)
    chmodSync(program, mode)
    chmodSync(place.path, 0o755)
    const child = spawn(program, ['60'], { ...NOBODY, cwd: '/', env: { KEY: 'a-key' }, stdio: 'ignore' })
    try {
      const { stdout, ...ended } = spawnSync('cat', [`/proc/${child.pid ?? 0}/environ`], {
        ...NOBODY,
        cwd: '/',
        encoding: 'utf8',
      })
      expect([ended.status, stdout]).toEqual([status, text])
    } finally {
      signalChild(child, 'SIGKILL')
    }
  },
)
