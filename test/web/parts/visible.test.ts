import { describe, expect, it } from 'vitest'
import { RowReader } from '../../../web/src/output/ansi/rows.ts'
import { visible } from '../../../web/src/parts/visible.ts'

function inOutput(text: string): string {
  const reader = new RowReader()
  reader.feed(text)
  return reader
    .end()
    .map((row) => (typeof row === 'string' ? row : row.map((span) => span.text).join('')))
    .join('\n')
}

describe('visible', () => {
  it.each([
    ['prod\u3164', 'prod⟨U+3164⟩'],
    ['prod\u{e0041}', 'prod⟨U+E0041⟩'],
    ['pr\u034fod', 'pr⟨U+034F⟩od'],
    ['pr\u180eod', 'pr⟨U+180E⟩od'],
    ['prod\ufe00', 'prod⟨U+FE00⟩'],
    ['prod\u202e', 'prod⟨U+202E⟩'],
    ['prod\u0007', 'prod␇'],
    ['prod\u2028', 'prod⟨U+2028⟩'],
  ])('lets no name look like another by what cannot be seen: %j', (name, shown) => {
    expect(visible(name)).toBe(shown)
    expect(inOutput(name)).toBe(shown)
  })

  it.each(['👩‍🚀', '❤️', 'می‌خواهم', 'naïve', '日本語'])('leaves %s as it is', (text) => {
    expect(visible(text)).toBe(text)
    expect(inOutput(text)).toBe(text)
  })
})
