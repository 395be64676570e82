import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { passwordsInUrl, secretTexts } from '../../../src/policy/redaction/secrets.ts'

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
      { numRuns: 2000 },
    )
  })
})
