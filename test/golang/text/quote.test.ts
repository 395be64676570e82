import { describe, expect, test } from 'vitest'
import { goQuote } from '../../../src/golang/text/quote.ts'

/** Made with strconv.Quote of Go 1.26. */
const GOLDEN: readonly (readonly [text: string, quoted: string])[] = [
  ['plain', '"plain"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['tab\tnl\nbell\x07', '"tab\\tnl\\nbell\\a"'],
  ['\x00\x1f\x7f', '"\\x00\\x1f\\x7f"'],
  ['é日本💥', '"é日本💥"'],
  ['\u0085\u00a0\u200b\ufeff\u2028', '"\\u0085\\u00a0\\u200b\\ufeff\\u2028"'],
  ['\u{e0001}', '"\\U000e0001"'],
  ['\u00ad', '"\\u00ad"'],
  ['\v\b\f\r', '"\\v\\b\\f\\r"'],
  ['\ufdfa', '"\ufdfa"'],
  ['\u0301', '"\u0301"'],
  ['\u3000', '"\\u3000"'],
]

describe('goQuote', () => {
  test.each(GOLDEN)('quotes %j as Go does', (text, quoted) => {
    expect(goQuote(text)).toBe(quoted)
  })
})
