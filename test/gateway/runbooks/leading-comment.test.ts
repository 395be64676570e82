import { describe, expect, it } from 'vitest'
import { leadingComment } from '../../../src/gateway/runbooks/leading-comment.ts'

describe('the leading comment of a runbook', () => {
  it.each<[string, string, object]>([
    ['none', 'echo x\n# Later\n', {}],
    ['an empty file', '', {}],
    ['one line', '# Refund an order\necho', { title: 'Refund an order' }],
    [
      'a shebang and several lines',
      '#!/bin/bash\n\n# Refund an order\n#\n# Twice is refused.\n#   - by id\necho\n# not this',
      { title: 'Refund an order', description: 'Twice is refused.\n  - by id' },
    ],
    [
      'SQL',
      '-- Orders of a day\n-- by country\nselect 1',
      { title: 'Orders of a day', description: 'by country' },
    ],
    ['slashes, CRLF', '// Restart\r\n// the web\r\nx()', { title: 'Restart', description: 'the web' }],
    [
      'a block',
      '/**\n * Restart a service\n *\n * One host after the other.\n */\nx()\n/* other */',
      { title: 'Restart a service', description: 'One host after the other.' },
    ],
    ['a block in one line', '/* Restart */ select 1', { title: 'Restart' }],
    ['a block without an end', '/* Restart\nnow', { title: 'Restart', description: 'now' }],
    ['rules', '# ======\n# Restart\n# ======\n# now', { title: 'Restart', description: 'now' }],
    [
      'lines for tools',
      '# -*- coding: utf-8 -*-\n# shellcheck disable=SC2086\n# Restart',
      { title: 'Restart' },
    ],
    ['a byte order mark', '\ufeff# Restart', { title: 'Restart' }],
    [
      'actions of the template',
      '{{/* for authors\n */}}\n{{ .id | required "id" | asenv "ID" }}\n# Refund {{ .id }} now\n# {{ .reason }}\n# for {{ .who }}\n',
      { title: 'Refund now', description: 'for' },
    ],
    ['an action without an end', '# Restart {{ .id', { title: 'Restart' }],
    ['a block without a text', '/**/ select 1\n/* other */', {}],
    ['a block that ends in stars', '/* Restart **/ select 1', { title: 'Restart' }],
    [
      'lines that are nothing but actions, and one that is not',
      '# a\n{{ .b }} {{ .c }}\n# {{ .d',
      { title: 'a' },
    ],
    ['nothing but a marker', '#\n#\necho', {}],
    ['control characters', '# a\u001b[2Jb\n# c\td', { title: 'a [2Jb', description: 'c d' }],
  ])('is read: %s', (_, source, about) => {
    expect(leadingComment(source)).toEqual(about)
  })

  it('is bounded, and never cut within a character', () => {
    const { title = '', description = '' } = leadingComment(
      `# ${'😀'.repeat(500)}\n${'# wörd wörd\n'.repeat(5_000)}`,
    )
    expect(Array.from(title)).toHaveLength(120)
    expect(title).toMatch(/^😀+…$/u)
    expect(Array.from(description).length).toBeLessThanOrEqual(1_000)
    expect(description).toMatch(/…$/)
  })

  // Each of these took a tenth of a second or two once, in which nobody else was served.
  it.each<[string, string, string, object]>([
    ['blanks alone', '', ' ', {}],
    ['blanks behind a title', '# a', ' ', { title: expect.stringMatching(/^a/) as string }],
    [
      'blanks before a word',
      '# a\n# b',
      ' ',
      { title: 'a', description: expect.stringMatching(/^b/) as string },
    ],
    ['blanks behind a rule', '# =', ' ', { title: expect.stringMatching(/^=/) as string }],
    ['blanks behind an action', '{{}}', ' ', {}],
    ['actions without an end', '', '{{\n', {}],
    ['stars in a block', '/* a ', '*', { title: expect.stringMatching(/^a \*+…$/) as string }],
  ])(
    'costs no more for being hostile: %s',
    (_, begin, repeated, about) => {
      const hostile = (begin + repeated.repeat(16 * 1024)).slice(0, 16 * 1024 - 2)
      for (let runbook = 0; runbook < 100; runbook += 1)
        expect(leadingComment(`${hostile}${runbook}`)).toMatchObject(about)
    },
    5_000,
  )
})
