import { describe, expect, it } from 'vitest'
import { fitting } from '../../../web/src/parts/fit.ts'

function found(titles: readonly string[], typed: string, words: Readonly<Record<string, string>> = {}) {
  const textsOf = (title: string) => ({
    title: title.toLowerCase(),
    about: `ops/${title.toLowerCase().replaceAll(' ', '-')}`,
    words: words[title] ?? '',
    near: title.toLowerCase(),
  })
  return fitting(titles, typed, textsOf).map(({ item }) => item)
}

describe('the search of a list', () => {
  it('puts a title before a path and a description, and the beginning of a title before its middle', () => {
    const titles = ['Archive', 'Prerefund', 'The refund', 'Refund an order', 'Refund']
    expect(found(titles, 'Refund', { Archive: 'what a refund has closed' })).toEqual([
      'Refund',
      'Refund an order',
      'The refund',
      'Prerefund',
      'Archive',
    ])
    expect(found(['Refunds of a period', 'Refund an order'], 'refund')).toEqual([
      'Refund an order',
      'Refunds of a period',
    ])
    expect(found(['Sorted', 'An ops view'], 'ops')).toEqual(['An ops view', 'Sorted'])
  })

  it('wants all words, and keeps the order of what fits equally', () => {
    expect(found(['Count rows of b', 'Count rows of a', 'Count users'], 'rows count')).toEqual([
      'Count rows of b',
      'Count rows of a',
    ])
    expect(found(['b', 'a'], '  ')).toEqual(['b', 'a'])
  })

  it('tolerates typing errors only when nothing matches exactly', () => {
    expect(found(['Refund', 'Defund'], 'refund')).toEqual(['Refund'])
    expect(found(['Refund', 'Archive'], 'refnud')).toEqual(['Refund'])
    expect(found(['Reconciliation'], 'recnociliatoin')).toEqual(['Reconciliation'])
    expect(found(['Ops'], 'osp')).toEqual([])
  })
})
