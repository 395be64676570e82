import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Path, Problems } from '../../../src/basics/settings/problems.ts'
import { readBytes, resolveReferences } from '../../../src/basics/settings/references.ts'

const NO_FILE = 'is not a regular file; to use the path itself as the value, remove file://'
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'references-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function attempt<T>(work: (problems: Problems) => T): T {
  const problems = new Problems('f')
  const result = work(problems)
  problems.throwIfAny()
  return result
}

const resolveValue = (value: string, env: Record<string, string> = {}) =>
  attempt((problems) => resolveReferences({ a: value }, { folder, env }, problems)) as Record<string, unknown>

const bytesOf = (value: string, env: Record<string, string> = {}) =>
  attempt((problems) => readBytes(value, { folder, env }, problems, ['connections', 0, 'files', 'X']))

describe('a value file://', () => {
  test.each([
    ['with one line break at its end', 'secret\n', 'secret'],
    ['with that of Windows', 'secret\r\n', 'secret'],
    ['with two, of which one stays', 'two\nlines\n\n', 'two\nlines\n'],
    ['with none', 'secret', 'secret'],
    ['that is empty', '', ''],
    ['whose text is a reference itself, which is only a text', 'env://HOME', 'env://HOME'],
  ])('is the text of a file %s', (_title, content, expected) => {
    writeFileSync(join(folder, 'x'), content)
    expect(resolveValue('file://x')['a']).toBe(expected)
    expect(resolveValue('file://./x')['a']).toBe(expected)
    expect(resolveValue(`file://${folder}/x`)['a']).toBe(expected)
  })

  test('may be a link, as Kubernetes makes them', () => {
    writeFileSync(join(folder, 'x'), 'secret')
    symlinkSync('x', join(folder, 'y'))
    expect(resolveValue('file://y')['a']).toBe('secret')
  })

  test.each([
    ['does not exist', 'nope', 'does not exist'],
    ['is below a file', 'binary/x', 'does not exist'],
    ['is a folder', '.', NO_FILE],
    ['is a FIFO, without waiting for a writer', 'fifo', NO_FILE],
    ['is a device', '/dev/zero', NO_FILE],
    ['is not text', 'binary', 'is not UTF-8 text'],
    ['is too long', 'long', 'is longer than 1048576 bytes'],
    ['has no name', '', NO_FILE],
    ['has a NUL in its name', 'a\0b', 'is not a path'],
  ])('is refused when the file %s', (_title, name, reason) => {
    spawnSync('mkfifo', [join(folder, 'fifo')])
    writeFileSync(join(folder, 'binary'), Buffer.from([0x66, 0xff, 0x6f]))
    writeFileSync(join(folder, 'long'), Buffer.alloc(1024 * 1024 + 1, 'a'))
    expect(() => resolveValue(`file://${name}`)).toThrow(new RegExp(`^f:1:1 a: the file .* ${reason}$`))
  })
})

describe('a value env://', () => {
  test('is the variable', () => {
    expect(resolveValue('env://X', { X: 'a\n' })['a']).toBe('a\n')
    expect(resolveValue('env://X', { X: '' })['a']).toBe('')
  })

  test.each(['NOPE', '', 'toString', 'x y'])('is refused when it is not set: %j', (name) => {
    expect(() => resolveValue(`env://${name}`, { X: 'value' })).toThrow(
      `f:1:1 a: the environment variable ${name} is not set`,
    )
  })
})

test('a reference works at every depth, only as the whole value, and never as a name', () => {
  const tree = { 'env://X': ['env://X', { b: 'x env://X', c: null, d: 'ENV://X' }] }
  const resolved = attempt((problems) => resolveReferences(tree, { folder, env: { X: '1' } }, problems))
  expect(resolved).toEqual({ 'env://X': ['1', { b: 'x env://X', c: null, d: 'ENV://X' }] })
})

describe('a value of connections[].files', () => {
  test('stays as it is until its bytes are wanted', () => {
    const tree = { connections: [{ files: { X: 'env://X' }, env: { X: 'env://X' } }] }
    const stays = (path: Path) => path.includes('files')
    const sources = { folder, env: { X: '1' } }
    const resolved = attempt((problems) => resolveReferences(tree, sources, problems, { stays }))
    expect(resolved).toEqual({ connections: [{ files: { X: 'env://X' }, env: { X: '1' } }] })
  })

  test('is the exact content of a file, given by path or file://', () => {
    const content = Buffer.from([0xef, 0xbb, 0xbf, 0, 255, 10])
    writeFileSync(join(folder, 'x'), content)
    for (const value of ['x', './x', `${folder}/x`, 'file://x']) expect(bytesOf(value)).toEqual(content)
  })

  test('may come from a variable', () => {
    expect(bytesOf('env://X', { X: 'ü\n' })?.toString()).toBe('ü\n')
    expect(() => bytesOf('env://X')).toThrow('the environment variable X is not set')
  })

  test('that is no path is refused without being shown: it may be the secret itself', () => {
    expect(() => bytesOf('hunter2')).toThrow(
      'f:1:1 connections[0].files.X: the value is read as a path, and this file does not exist',
    )
    expect(() => bytesOf('file://hunter2')).toThrow(`the file ${folder}/hunter2 does not exist`)
  })
})
