import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inTurns } from '../../../web/src/output/turn.ts'
import { recordingOf, type RecordedEvent } from '../../../web/src/views/terminal/recording.ts'
import { readText } from '../../../web/src/views/terminal/read-text.ts'
import { missingProgram, without } from '../../support/machine/servers.ts'
import { shown } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { Console } from '../../support/terminals/console.ts'
import { Tmux } from '../../support/terminals/tmux.ts'

type Written = readonly [at: number, text: string | Uint8Array]

const event = ([at, text]: Written): RecordedEvent => [at, 'o', Buffer.from(text).toString('base64')]
const size = (at: number, cols: number, rows: number): RecordedEvent => [
  at,
  'r',
  Buffer.from(`${cols}x${rows}`).toString('base64'),
]

async function read(events: readonly RecordedEvent[]) {
  const { signal } = new AbortController()
  return await readText(await inTurns(recordingOf(events), signal), signal)
}

async function textsOf(...written: readonly (string | Uint8Array)[]): Promise<string[]> {
  const { lines } = await read(written.map((text, at) => event([at, text])))
  return lines.map(({ text }) => text)
}

const [ALTERNATE, NORMAL] = ['\x1b[?1049h\x1b[H\x1b[2J', '\x1b[?1049l']

describe('the text of a past terminal', () => {
  it('has lines as they were at the end: overwritten, erased, with tabs and wide characters', async () => {
    expect(
      await textsOf(
        'one\r\n 10%\r100%\r\nlsx\b \b -l\r\n\x1b[31mred\x1b[0m\r\n',
        'abcdef\x1b[3D\x1b[K\r\na\tb\r\n日本\r\ne\u0301\r\n',
      ),
    ).toEqual(['one', '100%', 'ls -l', 'red', 'abc', 'a       b', '日本', 'e\u0301'])
  })

  it('has a wrapped line as one, also where a wide character had no room at its end', async () => {
    const { lines } = await read([size(0, 5, 3), event([0, 'abcdefghijklm\r\nabcd日本\r\nx'])])
    expect(lines.map(({ text }) => text)).toEqual(['abcdefghijklm', 'abcd日本', 'x'])
  })

  it('keeps what was cleared, in every way that programs clear', async () => {
    for (const clear of ['\x1b[H\x1b[2J\x1b[3J', '\x1b[H\x1b[J', '\x1b[2J\x1b[H', '\x1bc'])
      expect(await textsOf('one\r\ntwo\r\n', `${clear}three\r\n`, `${clear}four`)).toEqual([
        ...['one', 'two', 'three', 'four'],
      ])
  })

  it('keeps lines above the screen that a program erased', async () => {
    const lines = Array.from({ length: 100 }, (_, at) => `line ${at}`)
    const all = `${lines.map((line) => `${line}\r\n`).join('')}\x1b[3J\x1b[H\x1b[2Jlast`
    expect(await textsOf(all)).toEqual([...lines, 'last'])
  })

  it('keeps every line above the screen once, whatever the size of the window becomes', async () => {
    const lines = Array.from({ length: 300 }, (_, at) => `line ${at}`)
    const events = lines.flatMap((line, at) => [
      event([at, `${line}\r\n`]),
      ...(at % 7 === 0 ? [size(at, 3 + ((at * 13) % 60), 2 + ((at * 7) % 40))] : []),
    ])
    expect((await read(events)).lines.map(({ text }) => text)).toEqual(lines)
  })

  it('has the time at which each line ended', async () => {
    const { lines } = await read([
      event([1, '$ ']),
      event([5, 'l']),
      event([6, 's\r\n']),
      event([6.1, 'a\r\nb\r\n$ ']),
    ])
    expect(lines.map(({ text, at }) => [text, at])).toEqual([
      ...[['$ ls', 6] as const, ['a', 6.1] as const, ['b', 6.1] as const, ['$', 6.1] as const],
    ])
  })

  it('knows a command by the pause after its prompt', async () => {
    const { lines } = await read([
      event([0, 'bea@web:~$ ']),
      event([3, 'df -h /']),
      event([4, '\r\n98G used at $ 5\r\nbea@web:~$ ']),
      event([9, '\r\nbea@web:~$ exit\r\nPassword: ']),
      event([12, 'x']),
    ])
    const commands = lines.flatMap(({ text, prompt }) => (prompt === undefined ? [] : text.slice(prompt)))
    expect(commands).toEqual(['df -h /'])
  })

  it('has each row of a whole-screen program once, where it was seen, and a typed row as one', async () => {
    const { lines } = await read([
      event([0, '$ edit\r\n']),
      event([1, `${ALTERNATE}1\r\n2\r\n3`]),
      // Scrolled by one row, which a person sees.
      event([2, '\x1b[H2\x1b[K\r\n3\x1b[K\r\n4\x1b[K']),
      // Two screens at once: nobody saw the first.
      event([3, '\x1b[H\x1b[2Junseen\r\n']),
      event([3.1, '\x1b[H\x1b[2Jh']),
      event([4, 'el']),
      event([5, 'lo']),
      event([6, `${NORMAL}$ exit`]),
    ])
    expect(lines.map(({ text, isScreen }) => `${isScreen ? '|' : ''}${text}`)).toEqual([
      ...['$ edit', '|1', '|2', '|3', '|4', '|hello', '$ exit'],
    ])
  })

  it('has the last screen of a program that was on it when the terminal ended', async () => {
    expect(await textsOf(`$ less\r\n${ALTERNATE}a\r\n\r\nb`)).toEqual(['$ less', 'a', '', 'b'])
  })

  it('never undoes a replaced secret', async () => {
    expect(await textsOf('key=\x1b[1m[REDACTED]\x1b[0m\b\b\b\bxx\r\n')).toEqual(['key=[REDACxxD]'])
  })

  it('is cut after 500,000 lines, and says when and how much is missing', async () => {
    const piece = '\r\n'.repeat(50_000)
    const { lines, cut } = await read(Array.from({ length: 14 }, (_, at) => event([at, piece])))
    expect(lines).toHaveLength(500_000)
    expect(cut?.at).toBe(10)
    expect(cut?.bytes).toBe(300_000)
  })

  it('splits a line without an end into parts, and loses nothing', async () => {
    const { lines } = await read([event([0, 'x'.repeat(45_000)])])
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.map(({ text }) => text).join('')).toBe('x'.repeat(45_000))
  })

  it('does not depend on the sizes of the pieces in which the output arrived', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(escapes, fc.integer({ min: 1, max: 9 })), { maxLength: 40 }),
        async (parts) => {
          const all = Buffer.from(parts.map(([text]) => text).join(''))
          const pieces: RecordedEvent[] = []
          for (let at = 0, turn = 0; at < all.length; turn += 1) {
            const length = parts[turn % parts.length]?.[1] ?? 1
            pieces.push(event([0, all.subarray(at, at + length)]))
            at += length
          }
          const texts = async (events: readonly RecordedEvent[]) =>
            (await read([size(0, 20, 5), ...events])).lines.map(({ text, isScreen }) => [text, isScreen])
          expect(await texts(pieces)).toEqual(await texts([event([0, all])]))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('survives any bytes, sizes and times', async () => {
    const anything = fc.oneof(
      escapes.map((text) => ['o', Buffer.from(text)] as const),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => ['o', Buffer.from(bytes)] as const),
      fc
        .tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 30 }))
        .map(([cols, rows]) => ['r', Buffer.from(`${cols}x${rows}`)] as const),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anything, fc.double({ min: 0, max: 2, noNaN: true }))),
        async (all) => {
          let at = 0
          const events = all.map(([[kind, bytes], pause]): RecordedEvent => [
            (at += pause),
            kind,
            bytes.toString('base64'),
          ])
          const { lines } = await read(events)
          for (const { text, prompt } of lines) expect(text.length).toBeGreaterThanOrEqual(prompt ?? 0)
        },
      ),
      { numRuns: 500 },
    )
  })
})

const escapes = fc.oneof(
  fc.constantFrom('\r\n', '\n', '\r', '\b', '\t', '\x1bc', '\x1bM', '\x1bD', '\x1b7', '\x1b8', '\x1b[!p'),
  fc.constantFrom(
    '\x1b[?1049h',
    '\x1b[?1049l',
    '\x1b[?47h',
    '\x1b[?47l',
    '\x1b]0;title\x07',
    '\x1b[?7l',
    '\x1b[?7h',
  ),
  fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 2 }),
      fc.constantFrom(...Array.from('ABCDEFGHIJKLMPSTXZ@drm')),
    )
    .map(([numbers, final]) => `\x1b[${numbers.join(';')}${final}`),
  fc.string({ unit: fc.constantFrom('a', 'b', ' ', '日', 'é', '$', '\u0301'), maxLength: 30 }),
)

const missing = missingProgram('bash', 'vim', 'less', 'tmux')

describe.skipIf(missing !== undefined)(`the text of a real terminal${without(missing)}`, () => {
  /** What tmux, another terminal, shows of these bytes. */
  async function shownByTmux(bytes: Buffer, until: RegExp): Promise<string[]> {
    using place = new Workplace()
    place.write('bytes', bytes.toString('utf8'))
    using tmux = new Tmux(place)
    await tmux.shows(/local\$/)
    // The bytes ask the terminal questions. Its answers must not be on the screen.
    tmux.enter('stty -echo; clear; cat bytes; read')
    await tmux.shows(until)
    return tmux.screen().split('\n').filter(Boolean)
  }

  it('has the rows of vim and less as tmux shows them, and the lines of the shell around them', async () => {
    using place = new Workplace()
    place.write('poem', Array.from({ length: 100 }, (_, at) => `verse ${at + 1} of 日本\n`).join(''))
    await using shell = await Console.shell({
      cwd: place.path,
      environment: ['TERM=xterm-256color', 'LC_ALL=C.UTF-8'],
    })
    const seen: Buffer[] = [shell.output]
    const type = async (keys: string, pattern: RegExp) => {
      const before = shell.output.length
      shell.type(keys)
      await shown(() => shell.output.subarray(before), pattern)
      seen.push(shell.output)
    }
    // Vim shows the cursor when it has drawn the rest.
    const escape = String.fromCharCode(0x1b)
    const vimWaits = (row: string) => new RegExp(`${row}[^]*${escape}\\[\\?25h(?:${escape}\\[\\?4m)?$`)
    const lessWaits = new RegExp(`(?:poem|\\(END\\))${escape}\\[27m${escape}\\[K$`)
    await type('vim -u NONE -N -i NONE poem\r', vimWaits('verse 23 of'))
    await type('60Gzt', vimWaits('verse 82 of'))
    const vim = seen.length
    await type(':q!\r', /\$ $/)
    await type('less poem\r', lessWaits)
    await type('G', lessWaits)
    const less = seen.length
    await type('q', /\$ $/)

    const textUntil = async (end: number) => {
      const events = seen
        .slice(0, end)
        .map((bytes, at): RecordedEvent => event([at, bytes.subarray(seen[at - 1]?.length ?? 0)]))
      const { lines } = await read([size(0, 80, 24), ...events])
      return lines
    }
    const lastScreen = (lines: Awaited<ReturnType<typeof textUntil>>, at: number) =>
      lines.filter((one) => one.isScreen && one.at === at).map(({ text }) => text)
    const ofVim = lastScreen(await textUntil(vim), vim - 1)
    expect(ofVim).toEqual(await shownByTmux(seen[vim - 1] ?? Buffer.alloc(0), /verse 82 of/))
    const all = await textUntil(seen.length)
    expect(lastScreen(all, less - 1)).toEqual(await shownByTmux(seen[less - 1] ?? Buffer.alloc(0), /\(END\)/))
    expect(all.filter(({ isScreen }) => !isScreen).map(({ text }) => text)).toEqual([
      ...['$ vim -u NONE -N -i NONE poem', '$ less poem', '$'],
    ])
    expect(all.filter(({ text }) => text.startsWith('verse 1 of'))).toHaveLength(2)
  })
})
