import { describe, expect, it } from 'vitest'
import { restrict } from '../../../src/policy/client-escapes.ts'

const restricted = (script: string | Buffer, callers: readonly string[] = []): string =>
  restrict(Buffer.from(script), 'KEY', {
    hand: (name) => (callers.includes(name) ? `HANDED_${name}` : undefined),
  }).toString('latin1')

describe('the script of a closed psql', () => {
  it.each([
    ['nothing', '', '\\restrict KEY\n'],
    ['a statement', 'select 1;\n', '\\restrict KEY\nselect 1;\n'],
    ['no line end', 'select 1', '\\restrict KEY\nselect 1'],
    [
      'settings and comments',
      '-- a\n\n\\set ON_ERROR_STOP on\n  \\pset format csv \r\n\\x\nselect 1;\n\\x\n',
      '-- a\n\n\\set ON_ERROR_STOP on\n  \\pset format csv \r\n\\x\n\\restrict KEY\nselect 1;\n\\x\n',
    ],
    ['bytes that are no text', Buffer.from('ff00fe0a', 'hex'), '\\restrict KEY\n\xff\x00\xfe\n'],
    ['a byte order mark', '\ufeffselect 1;', '\\restrict KEY\nselect 1;'],
  ])('is restricted from the first line on that does more than set something: %s', (_, script, expected) => {
    expect(restricted(script)).toBe(expected)
  })

  it.each([
    '\\! id\n',
    '\\set x `id`\n',
    "\\set x 'a'\n",
    '\\set x :y\n',
    '\\set x 1 \\! id\n',
    '\\getenv x HOME\\! id\n',
    '\\getenv x HOME \\\\ \\! id\n',
    '-- a\r\\! id\n',
    '\r\\! id\n',
    '\\x\r\\! id\n',
    '-- a\x00\\! id\n',
    '-- a\x0b\\! id\n',
    '\\settings\n',
    '\\setenv PAGER id\n',
    '/* a */\n',
    '\\x',
  ])('is restricted before %j', (line) => {
    expect(restricted(`\\x\n${line}`)).toBe(`\\x\n\\restrict KEY\n${line}`)
  })

  it("has the names under which a caller's variables are handed to it, and no others", () => {
    const script = '\\getenv a WHO\n\\getenv b HOME\nselect :a;\n\\getenv c WHO\n'
    expect(restricted(script, ['WHO'])).toBe(
      '\\getenv a HANDED_WHO\n\\getenv b HOME\n\\restrict KEY\nselect :a;\n\\getenv c WHO\n',
    )
  })
})
