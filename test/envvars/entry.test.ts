import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createEntry, Entry, parseEntry } from '../../src/envvars/entry.ts'
import { EnvvarError } from '../../src/envvars/errors.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

function failureOf(key: string, encoded: string): EnvvarError {
  try {
    parseEntry(key, encoded, 'client')
  } catch (error) {
    if (error instanceof EnvvarError) return error
    throw error
  }
  throw new Error(`${key} was accepted`)
}

describe('parseEntry', () => {
  test.each(['envvar', 'filesystem'] as const)('reads an entry of kind %s', (kind) => {
    const entry = parseEntry(`${kind}:DB_PASS`, base64('hello'), 'client')
    expect(entry.kind).toBe(kind)
    expect(entry.name).toBe('DB_PASS')
    expect(entry.key).toBe(`${kind}:DB_PASS`)
    expect(entry.value).toEqual(Buffer.from('hello'))
  })

  test('keeps bytes that are not UTF-8, and an empty value', () => {
    expect(parseEntry('envvar:RAW', '//79', 'client').value).toEqual(Buffer.from([0xff, 0xfe, 0xfd]))
    expect(parseEntry('envvar:NONE', '', 'client').value).toHaveLength(0)
  })

  test.each(['connection', 'client', 'agent'] as const)('says that it is from the %s', (origin) => {
    expect(parseEntry('envvar:A', base64('x'), origin).origin).toBe(origin)
    expect(createEntry('filesystem:A', Buffer.from('x'), origin).origin).toBe(origin)
  })

  test.each(['NAME', '', 'envvar:A:B', 'a:b:c:d'])('refuses the key %j, which is not keytype:key', (key) => {
    const error = failureOf(key, base64('x'))
    expect(error.message).toBe(
      `environment variable key type in unknown format, want=[keytype:key], got=${key}`,
    )
  })

  test('escapes control characters of a malformed key', () => {
    expect(failureOf('a\x1b[2Jb', base64('x')).message).toMatch(/got="a\\u001b\[2Jb"$/)
  })

  test('refuses an unknown type, whatever its value', () => {
    expect(failureOf('file:NAME', '%%%').message).toBe(
      'unknow environment variable type "file", accepted: "filesystem", "envvar"',
    )
  })

  test('refuses bad base64 with the name and the offset Go gives', () => {
    expect(failureOf('envvar:BAD', 'aGV%').message).toBe(
      'failed decoding env var "BAD", err=illegal base64 data at input byte 3',
    )
  })

  test.each([
    ['envvar:', '""'],
    ['envvar:A=B', '"A=B"'],
    ['filesystem:A\0B', '"A\\u0000B"'],
    ['envvar:A\nB', '"A\\nB"'],
    ['envvar:A\x7fB', '"A\x7fB"'],
    ['envvar:A\u0085B', '"A\u0085B"'],
  ])('refuses the name of %j', (key, shown) => {
    expect(failureOf(key, base64('x')).message).toContain(
      `environment variable name ${shown} must not be empty`,
    )
  })

  test('refuses a NUL in a variable and accepts it in a file', () => {
    const error = failureOf('envvar:BLOB', base64('se\0cret'))
    expect(error.message).toContain('envvar:BLOB contains a NUL byte')
    expect(parseEntry('filesystem:BLOB', base64('se\0cret'), 'client').value).toHaveLength(7)
  })

  test.each([
    ['envvar:T', 'hunter2hunter2%'],
    ['envvar:T', base64('hunter2hunter2\0')],
    ['T', base64('hunter2hunter2')],
    ['file:T', base64('hunter2hunter2')],
    ['envvar:=', base64('hunter2hunter2')],
  ])('never shows the value in the error for %j', (key, encoded) => {
    const shown = inspect(failureOf(key, encoded), { showHidden: true, depth: 9 })
    expect(shown).not.toContain('hunter2')
    expect(shown).not.toContain(base64('hunter2hunter2').slice(0, 8))
  })
})

describe('createEntry', () => {
  test('takes the bytes as they are', () => {
    const entry = createEntry('envvar:DB_PASS', Buffer.from('YQ=='), 'connection')
    expect([entry.key, entry.value.toString()]).toEqual(['envvar:DB_PASS', 'YQ=='])
  })

  test.each([
    ['DB_PASS', 'x', 'want=[keytype:key], got=DB_PASS'],
    ['envvar:A=B', 'x', 'environment variable name "A=B"'],
    ['envvar:A', 'x\0', 'envvar:A contains a NUL byte'],
  ])('refuses %s=%j like any other', (key, value, text) => {
    expect(() => createEntry(key, Buffer.from(value), 'connection')).toThrow(text)
  })
})

describe('Entry', () => {
  test('counts as a secret of the connection when nothing else is said', () => {
    expect(new Entry('envvar', 'A', Buffer.from('x')).origin).toBe('connection')
  })

  test.each([
    {},
    { showHidden: true, getters: true, depth: Infinity },
    { customInspect: false, showHidden: true },
  ])('does not show its value when inspected with %j', (options) => {
    const entry = new Entry('envvar', 'TOKEN', Buffer.from('hunter2'))
    const shown = [
      inspect(entry, options),
      inspect({ nested: [entry] }, options),
      JSON.stringify(entry),
      entry.key,
    ]
    for (const text of shown) {
      expect(text).not.toContain('hunter2')
      expect(text).not.toContain('68 75 6e')
      expect(text).not.toContain('104')
    }
    expect(shown[0]).toContain('TOKEN')
  })
})
