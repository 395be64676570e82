import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { passwordsInUrl, secretTexts, variantsOf } from '../../../src/policy/redaction/secrets.ts'

const texts = (value: string) => secretTexts(Buffer.from(value)).map(String)
const passwords = (value: string) => passwordsInUrl(Buffer.from(value)).map(String)

describe('the texts of a secret value', () => {
  it('are the value, and nothing when it is shorter than 6 bytes', () => {
    expect(texts('secret')).toEqual(['secret'])
    expect(texts('short')).toEqual([])
    expect(texts('äöü')).toEqual(['äöü'])
  })

  it.each(['\n', '\r\n'])('are it without the line break %j', (end) => {
    expect(texts(`secret${end}`)).toEqual(['secret'])
    expect(texts(`short${end}`)).toEqual([])
  })

  it('are its lines from 8 bytes on, without blanks around them', () => {
    const value = 'first line\r\n\t second line \n\nshort  \n12345678'
    expect(texts(value)).toEqual([value, 'first line', 'second line', '12345678'])
  })

  it('are not the boundaries of a PEM block, but a block on one line', () => {
    const value = '-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKC\n-----END RSA PRIVATE KEY-----\n'
    expect(texts(value)).toEqual([value.slice(0, -1), 'MIIEowIBAAKC'])
    const oneLine = '-----BEGIN KEY-----MIIEowIBAAKC-----END KEY-----'
    expect(texts(`${oneLine}\nanother line`)).toContain(oneLine)
  })

  it('need not be UTF-8', () => {
    const line = Buffer.from([0xa0, 0xff, 0, 1, 2, 3, 4, 0xa0])
    const value = Buffer.concat([line, Buffer.from('\nx')])
    expect(secretTexts(value)).toEqual([value, line])
  })
})

describe('the passwords in a URL', () => {
  it.each([
    ['postgres://app:s3cret-pw@db.internal:5432/app?sslmode=require', ['s3cret-pw']],
    ['redis://:only-password@cache:6379', ['only-password']],
    ['mongodb+srv://u:p%40ss%2Fword@host', ['p%40ss%2Fword', 'p@ss/word']],
    ['amqp://u:pass%zzword%4@host', ['pass%zzword%4']],
    ['https://x-access-token:ghp_16C7e42F@github.com/a/b.git', ['ghp_16C7e42F']],
    ['postgres://u:pass:word@host/db', ['pass:word']],
    ['postgres://u:pass@word@host/db?email=a@b', ['pass@word']],
    ['postgres://u:pass/word@host/db', ['pass/word']],
    ['jdbc:mysql://root:password@host/db', ['password']],
    ['  POSTGRES://u:password@host\n', ['password']],
  ])('of %s are %j', (value, expected) => {
    expect(passwords(value)).toEqual(expected)
  })

  it.each([
    ...[
      '',
      'hunter2hunter2',
      'postgres://host:5432/db',
      'https://user@host/',
      'u:password@host',
      '://u:password@h',
    ],
    ...['postgres://u:short@host', 'postgres://u:@host', 'postgres://', 'text with http://u:password@host'],
  ])('of %j are none', (value) => {
    expect(passwords(value)).toEqual([])
  })

  it('are bytes when they are decoded', () => {
    expect(passwordsInUrl(Buffer.from('x://u:%ff%00abcd@h')).at(-1)).toEqual(
      Buffer.from('\xff\0abcd', 'latin1'),
    )
  })

  it('never throw', () => {
    const tricky = fc.array(
      fc.constantFrom('a', ':', '//', '://', '@', '%', '%4', '%41', '#', '?', '\xff', '\0'),
    )
    fc.assert(
      fc.property(tricky, (parts) => {
        const found = passwordsInUrl(Buffer.from(`a://${parts.join('')}`, 'latin1'))
        expect(found.every(({ length }) => length >= 6)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

const variants = (text: string | Buffer) => variantsOf(Buffer.from(text)).map((one) => one.toString('latin1'))
const bytes = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array))
const latin1 = (text: string) => Buffer.from(text).toString('latin1')

describe('the variants of a secret', () => {
  it('begin with itself and have no doubles', () => {
    const all = variants('hunter22')
    expect(all[0]).toBe('hunter22')
    expect(new Set(all).size).toBe(all.length)
    expect(all).toHaveLength(4)
  })

  it('are not shorter than 6 bytes', () => {
    expect(variants('abcd')).toEqual([])
    expect(variants('a/b c')).toEqual([
      'YS9iIG',
      'EvYiBj',
      'hL2IgY',
      'a%2Fb%20c',
      'a%2fb%20c',
      'a/b%20c',
      'a%2Fb+c',
      'a%2fb+c',
      'a\\/b c',
    ])
  })
})

describe('a secret in base64', () => {
  it('leaves of a longer text in base64 nothing that the secret alone decides', () => {
    fc.assert(
      fc.property(bytes(0, 8), bytes(8, 40), bytes(0, 8), (before, secret, after) => {
        const encoded = Buffer.concat([before, secret, after]).toString('base64')
        const [first, end] = [
          Math.ceil((before.length * 8) / 6),
          Math.floor(((before.length + secret.length) * 8) / 6),
        ]
        const urlSafe = encoded.replaceAll('+', '-').replaceAll('/', '_')
        expect(variants(secret)).toContain(encoded.slice(first, end))
        expect(variants(secret)).toContain(urlSafe.slice(first, end))
      }),
      { numRuns: 500 },
    )
  })

  it.each([76, 64])('has the lines of %i columns as they are wrapped', (columns) => {
    const secret = Buffer.from(Array.from({ length: 200 }, (_, n) => (n * 89) % 256))
    const lines = secret.toString('base64').match(new RegExp(`.{${columns}}`, 'g')) ?? []
    expect(lines.length).toBeGreaterThanOrEqual(3)
    expect(variants(secret)).toEqual(expect.arrayContaining([...lines]))
  })

  it('has the last line too, without what padding decides', () => {
    const secret = Buffer.alloc(57 + 10, 'xyz')
    expect(secret.toString('base64').slice(76)).toBe('eHl6eHl6eHl6eA==')
    expect(variants(secret)).toContain('eHl6eHl6eHl6e')
  })

  it('is one line up to the last column', () => {
    expect(variants(Buffer.alloc(48, 'xyz'))).toHaveLength(4)
    expect(variants(Buffer.alloc(57, 'xyz')).map(({ length }) => length)).toEqual([57, 76, 75, 75, 64, 12])
  })
})

describe('a secret in a URL', () => {
  const secret = "a b/c~d!e'f*g(h)é"

  it.each([
    ['RFC 3986', 'a%20b%2Fc~d%21e%27f%2Ag%28h%29%C3%A9'],
    ['RFC 3986 in lower case', 'a%20b%2fc~d%21e%27f%2ag%28h%29%c3%a9'],
    ['encodeURIComponent', encodeURIComponent(secret)],
    ["Python's quote", 'a%20b/c~d%21e%27f%2Ag%28h%29%C3%A9'],
    ["Python's quote_plus, Go's QueryEscape", 'a+b%2Fc~d%21e%27f%2Ag%28h%29%C3%A9'],
    ['URLSearchParams', String(new URLSearchParams([['', secret]])).slice(1)],
    ['URLSearchParams in lower case', 'a+b%2fc%7ed%21e%27f*g%28h%29%c3%a9'],
  ])('has the form of %s', (_, encoded) => {
    expect(variants(secret)).toContain(encoded)
  })

  it('encodes bytes that are no UTF-8', () => {
    expect(variants(Buffer.from([0xff, 0x00, 0x41, 0x80]))).toContain('%FF%00A%80')
  })

  it('agrees with the platform on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 8 }), (text) => {
        expect(variants(text)).toContain(encodeURIComponent(text))
        expect(variants(text)).toContain(String(new URLSearchParams([['', text]])).slice(1))
      }),
      { numRuns: 400 },
    )
  })
})

describe('a secret in JSON', () => {
  it.each([
    ['JSON.stringify', 'p"a\\s/é\n', 'p\\"a\\\\s/é\\n'],
    ['escaped slashes', 'p"a\\s/é\n', 'p\\"a\\\\s\\/é\\n'],
    ['Python', 'p"a\\s/é😀\x7f', 'p\\"a\\\\s/\\u00e9\\ud83d\\ude00\\u007f'],
    ['PHP', 'pass/wörd', 'pass\\/w\\u00f6rd'],
    ['Go', 'a<b>c&d é \u2028', 'a\\u003cb\\u003ec\\u0026d é \\u2028'],
  ])('has the form of %s', (_, text, escaped) => {
    expect(variants(text)).toContain(latin1(escaped))
  })

  it('agrees with JSON.stringify on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 8 }), (text) => {
        expect(variants(text)).toContain(latin1(JSON.stringify(text).slice(1, -1)))
      }),
      { numRuns: 500 },
    )
  })

  it('has none for what is no UTF-8', () => {
    expect(variants(Buffer.from('p"assword\xff', 'latin1'))).not.toContain('p\\"assword\xff')
  })
})
