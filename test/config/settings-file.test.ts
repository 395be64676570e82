import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Location, locateFile, readSettingsFile } from '../../src/config/settings-file.ts'
const SECRET = 'xagt-Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE'
let root: string
let path: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'settings-file-test-'))
  path = join(root, 'agent.yaml')
})
afterEach(async () => {
  await rm(root, { recursive: true, force: true })
})

function read(location: Partial<Location> = {}): {
  texts: Record<string, unknown> | undefined
  message: string
} {
  const { entries, problems } = readSettingsFile({ path, place: '--config', isRequired: true, ...location })
  const texts = entries && Object.fromEntries(entries)
  return { texts, message: problems.toLines().join('\n').replaceAll(path, 'FILE') }
}

async function reading(yaml: string): Promise<ReturnType<typeof read>> {
  await writeFile(path, yaml)
  return read()
}

describe('the reader of the settings file', () => {
  test.each([
    'output: {cap: 1MiB}',
    'output:\n  cap: 1MiB # one',
    'output.cap: 1MiB',
    '"output.cap": \'1MiB\'',
    '\ufeffoutput.cap: 1MiB',
  ])('reads %j, nested or with a dot', async (yaml) => {
    expect(await reading(yaml)).toEqual({ texts: { 'output.cap': '1MiB' }, message: '' })
  })

  test.each(['', '# nothing\n', '~', '{}', 'output:', 'output: {}', 'key:\nruntime-dir: ~\ndrain: null'])(
    'takes %j for no settings at all',
    async (yaml) => {
      expect(await reading(yaml)).toEqual({ texts: {}, message: '' })
    },
  )

  test('keeps numbers and switches as they are written', async () => {
    const { texts } = await reading('limits.sessions: 010\nallow-plaintext: true\nkey: "~"')
    expect(texts).toEqual({ 'limits.sessions': '010', 'allow-plaintext': 'true', key: '~' })
  })

  test.each([
    ['outptu.cap: 1', '1:1 outptu.cap: unknown setting, did you mean output.cap?'],
    ['outptu: {cap: 1}', '1:1 outptu: unknown setting, did you mean output?'],
    ['drain: 1s\nlog:\n  levle: info', '3:3 log.levle: unknown setting, did you mean log.level?'],
    ['Key_File: a', '1:1 Key_File: unknown setting, did you mean key-file?'],
    ['wholly: {different: 1}', '1:1 wholly: unknown setting'],
    ['other:', '1:1 other: unknown setting'],
    ['__proto__: 1', '1:1: __proto__ cannot be used as a name'],
    ['? [a]\n: 1', '1:3: the name of a setting must be a string'],
    [
      'output: 1',
      '1:9 output: a map with output.cap, output.on-cap, output.tail-memory is expected, but this is a single value',
    ],
    ['log: [a]', '1:6 log: a map with log.level, log.encoding is expected, but this is a list'],
    ['drain: 1s\ndrain: 2s', '2:1: this name is used twice'],
    ['output.cap: 1B\noutput: {cap: 2B}', '2:10 output.cap: this name is used twice'],
  ])('refuses %j with its place', async (yaml, message) => {
    expect((await reading(yaml)).message).toBe(`FILE:${message}`)
  })
})

describe('text', () => {
  test.each([
    ['drain: 1s\n- a', '2:1: '],
    ['drain: "1s', '1:11: a ":", a quote or a closing bracket is missing'],
    ['drain: 1s\n---\ndrain: 2s', '2:1: the file must hold one document only'],
    ['drain: !foo 1s', '1:8: tags are not supported'],
    ['['.repeat(10_000), '1:1: settings are nested more than 20 deep'],
    ['- '.repeat(10_000), '1:1: settings are nested more than 20 deep'],
  ])('that is not of the form is refused with its place', async (yaml, message) => {
    const found = await reading(yaml)
    expect(found.texts).toBeUndefined()
    expect(found.message.startsWith(`FILE:${message}`), found.message).toBe(true)
  })

  test('of any content is read or refused, and a secret in it is not in the refusal', async () => {
    const piece = fc.constantFrom(
      SECRET,
      'key',
      'output',
      'cap',
      ': ',
      ':',
      '\n',
      ' ',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '- ',
      '? ',
      '!',
      '&',
      '*',
      '#',
      '|',
      '>',
      '\t',
      '%',
      '@',
      '<<',
      '...',
      '---\n',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
        expect((await reading(pieces.join(''))).message).not.toContain(SECRET)
      }),
      { numRuns: 500 },
    )
  })
})

describe('the file', () => {
  test('is the flag, else the variable, else the standard one, which may be missing', () => {
    expect(locateFile({ flags: { config: 'a' }, env: { RUNBOOK_AGENT_CONFIG: 'b' } })).toMatchObject({
      path: 'a',
      place: '--config',
      isRequired: true,
    })
    expect(locateFile({ flags: {}, env: { RUNBOOK_AGENT_CONFIG: 'b' } })).toMatchObject({
      path: 'b',
      place: 'RUNBOOK_AGENT_CONFIG',
      isRequired: true,
    })
    expect(locateFile({ flags: {}, env: { RUNBOOK_AGENT_CONFIG: '' } })).toMatchObject({
      path: '/etc/runbook-agent/agent.yaml',
      isRequired: false,
    })
  })

  test('is refused when it was named and is missing, and holds nothing when nobody named it', () => {
    expect(read()).toEqual({ texts: undefined, message: '--config: the file FILE does not exist' })
    expect(read({ isRequired: false })).toEqual({ texts: {}, message: '' })
  })

  test('is refused when it is a folder, a FIFO or very long', async () => {
    const fifo = join(root, 'fifo')
    execFileSync('mkfifo', [fifo])
    expect(read({ path: root }).message).toBe(`--config: the file ${root} is not a regular file`)
    expect(read({ path: fifo, isRequired: false }).message).toBe(
      `--config: the file ${fifo} is not a regular file`,
    )
    expect((await reading('#'.repeat(65_537))).message).toBe(
      '--config: the file FILE is longer than 65536 bytes',
    )
  })
})

test('a thousand wrong names are counted, not listed', async () => {
  const { message } = await reading(Array.from({ length: 1000 }, (_, i) => `a${i}: 1`).join('\n'))
  expect(message.split('\n')).toHaveLength(51)
  expect(message.split('\n').at(-1)).toBe('FILE: and 950 more')
})
