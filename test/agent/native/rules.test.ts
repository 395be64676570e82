import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Dialogue } from '../../../src/agent/native/mysql/dialogue.ts'
import { JudgedCommands } from '../../../src/agent/native/mysql/judged.ts'
import { packet } from '../../../src/agent/native/mysql/login.ts'
import { MaskedPackets } from '../../../src/agent/native/mysql/masked.ts'
import { encodeLengthPrefixed as counted } from '../../../src/agent/native/mysql/values.ts'
import { JudgedMessages } from '../../../src/agent/native/postgres/judged.ts'
import { MaskedMessages } from '../../../src/agent/native/postgres/masked.ts'
import { NativeError } from '../../../src/agent/native/native-error.ts'
import { messageOf, encodeCString } from '../../../src/agent/native/postgres/messages.ts'
import { pieces } from '../../support/native/pieces.ts'
import { client, guardrails, masking, rulesOf } from '../../support/native/rules.ts'

/** Expects the same masked text for the whole as for its pieces. */
async function expectSame(
  masked: (parts: readonly Buffer[]) => Promise<string>,
  all: Buffer,
  every: readonly number[],
): Promise<void> {
  const whole = await masked([all])
  expect(whole).not.toContain(MAIL)
  expect(await masked(pieces(all, every))).toBe(whole)
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 })
const WORD = /refused_by_guardrail_[0-9a-f]{32}/g
const readable = (all: readonly Buffer[]) => Buffer.concat(all).toString('latin1').replaceAll(WORD, 'REFUSED')

const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const letter = (text: string) => text.charCodeAt(0)
const MAIL = 'ann@example.com'
const texts = fc
  .oneof(
    fc.constantFrom(
      'select 1',
      'DROP TABLE a',
      'DROP',
      ' TABLE',
      MAIL,
      `to ${MAIL}, 7`,
      '4111111111111111',
      '',
    ),
    fc.string({ maxLength: 12 }),
  )
  .map((text) => text.replaceAll('\0', ''))

const bind = (values: readonly string[]) =>
  messageOf(
    letter('B'),
    ...[Buffer.from('\0\0'), int16(0), int16(values.length)],
    ...values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]),
    int16(0),
  )
const clientMessages = fc.array(
  fc.oneof(
    texts.map((text) => messageOf(letter('Q'), encodeCString(text))),
    texts.map((text) => messageOf(letter('P'), encodeCString('s'), encodeCString(text), int16(0))),
    fc.array(texts, { maxLength: 3 }).map(bind),
    fc
      .constantFrom('E', 'S', 'D', 'F', 'd')
      .map((type) => messageOf(letter(type), Buffer.from('\0\0\0\0\0'))),
  ),
  { maxLength: 8 },
)

const row = (values: readonly (string | undefined)[]) =>
  messageOf(
    letter('D'),
    int16(values.length),
    ...values.map((value) =>
      value === undefined ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]),
    ),
  )
const column = (name: string) => Buffer.concat([encodeCString(name), Buffer.alloc(18)])
const heading = (names: readonly string[]) =>
  messageOf(letter('T'), int16(names.length), ...names.map(column))
const said = (type: string, text: string) =>
  messageOf(letter(type), encodeCString('SERROR'), encodeCString(`M${text}`), Buffer.of(0))
const serverMessages = fc.array(
  fc.oneof(
    fc.array(fc.option(texts, { nil: undefined }), { maxLength: 4 }).map(row),
    fc.array(fc.constantFrom('id', 'mail', 'a b'), { maxLength: 4 }).map(heading),
    texts.map((text) => messageOf(letter('d'), Buffer.from(`${text}\n`))),
    texts.map((text) => said('N', text)),
    texts.map((text) => said('E', text)),
    fc.constant(messageOf(letter('Z'), Buffer.from('I'))),
  ),
  { maxLength: 12 },
)

describe('the stream of PostgreSQL', () => {
  it('is judged in the same way wherever the pieces end, and nothing that is refused passes', async () => {
    await fc.assert(
      fc.asyncProperty(clientMessages, sizes, async (messages, every) => {
        const judged = async (parts: readonly Buffer[]) => {
          using stream = new JudgedMessages(await rulesOf(guardrails({ input: ['DROP TABLE'] })))
          const passed: Buffer[] = []
          for (const part of parts) passed.push(await stream.judge(part))
          return readable(passed)
        }
        const all = Buffer.concat(messages)
        const whole = await judged([all])
        expect(whole).not.toContain('DROP TABLE')
        expect(await judged(pieces(all, every))).toBe(whole)
      }),
    )
  })

  it('is masked in the same way wherever the pieces end', async () => {
    await fc.assert(
      fc.asyncProperty(serverMessages, sizes, async (messages, every) => {
        const masked = async (parts: readonly Buffer[]) => {
          const to = client()
          using stream = new MaskedMessages(
            to,
            await rulesOf(masking({ types: ['EMAIL_ADDRESS', 'CREDIT_CARD'] })),
          )
          for (const part of parts) await stream.pass(part)
          return readable([to.got()])
        }
        await expectSame(masked, Buffer.concat(messages), every)
      }),
    )
  })

  it.each(['N', 'E'])('refuses what follows the last field of %s, which nobody would mask', async (type) => {
    using stream = new MaskedMessages(client(), await rulesOf(masking({ types: ['EMAIL_ADDRESS'] })))
    const message = messageOf(
      letter(type),
      encodeCString('SERROR'),
      Buffer.of(0),
      encodeCString(`M${MAIL}`),
      Buffer.of(0),
    )
    await expect(stream.pass(message)).rejects.toThrow(NativeError)
  })

  it('changed at random, shows no value and breaks nothing', async () => {
    const rules = await rulesOf(masking({ types: ['EMAIL_ADDRESS'] }))
    const good = Buffer.concat([
      heading(['mail', 'n']),
      ...[row([MAIL, '7']), row([undefined, `two ${MAIL}`]), said('N', MAIL)],
      messageOf(letter('C'), encodeCString('SELECT 2')),
      messageOf(letter('Z'), Buffer.from('I')),
    ])
    await mutated(good, async (bytes) => {
      const to = client()
      using stream = new MaskedMessages(to, rules)
      await stream.pass(bytes)
      return to.got()
    })
  })
})

/** A few seconds. */
const MUTATIONS = 1000

/** Runs it on variants of the bytes; it may throw only what ends a connection. */
async function mutated(good: Buffer, run: (bytes: Buffer) => Promise<Buffer>): Promise<void> {
  const change = fc.record({
    at: fc.integer({ min: 0, max: good.length - 1 }),
    byte: fc.integer({ min: 0, max: 255 }),
    cut: fc.integer({ min: 0, max: 2 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      let bytes = good
      for (const { at, byte, cut } of changes)
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at + cut)])
      const isChanged = !bytes.includes(MAIL)
      try {
        expect((await run(bytes)).includes(MAIL) && !isChanged).toBe(false)
      } catch (error) {
        const isExpected = error instanceof NativeError
        if (!isExpected) throw error
      }
    }),
    { numRuns: MUTATIONS },
  )
}

const query = (text: string) => packet(0, Buffer.from(`\x03${text}`))
const eof = (seq: number) => packet(seq, Buffer.from([0xfe, 0, 0, 2, 0]))
const textColumn = (seq: number, name: string) =>
  packet(
    seq,
    Buffer.concat([
      ...['def', '', '', '', name, ''].map((text) => counted(Buffer.from(text))),
      Buffer.from([0x0c, 45, 0, 0, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0]),
    ]),
  )
const answer = (rows: readonly (readonly (string | undefined)[])[]) =>
  Buffer.concat([
    ...[packet(1, Buffer.of(2)), textColumn(2, 'mail'), textColumn(3, 'n'), eof(4)],
    ...rows.map((cells, at) =>
      packet(
        5 + at,
        Buffer.concat(cells.map((cell) => counted(cell === undefined ? cell : Buffer.from(cell)))),
      ),
    ),
    eof(5 + rows.length),
  ])

describe('the stream of MySQL', () => {
  it('is judged in the same way wherever the pieces end, and nothing that is refused passes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(texts), sizes, async (statements, every) => {
        const judged = async (parts: readonly Buffer[]) => {
          using stream = new JudgedCommands(
            await rulesOf(guardrails({ input: ['DROP TABLE'] })),
            new Dialogue(),
          )
          const passed: Buffer[] = []
          for (const part of parts) passed.push(await stream.judge(part))
          return readable(passed)
        }
        const all = Buffer.concat(statements.map(query))
        const whole = await judged([all])
        expect(whole).not.toContain('DROP TABLE')
        expect(await judged(pieces(all, every))).toBe(whole)
      }),
    )
  })

  it('does not pass a text of several packets that is too long to be judged', async () => {
    const dialogue = new Dialogue()
    using stream = new JudgedCommands(await rulesOf(guardrails({ input: ['DROP TABLE'] })), dialogue)
    const large = Buffer.alloc(0xff_ff_ff, 'x')
    large[0] = 3
    const all = Buffer.concat([packet(0, large), packet(1, Buffer.from('DROP TABLE a')), query('select 1')])
    const passed: Buffer[] = []
    for (const piece of pieces(all, [1_000_003])) passed.push(await stream.judge(piece))
    const statements = readable(passed)
      .split('\u0003')
      .map((text) => text.replace(/[^]{4}$/, ''))
    expect(statements).toEqual(['', ')REFUSED', 'sele'])
    // The client counts on from its two packets.
    expect(dialogue.current).toMatchObject({ kind: 'query', shift: 1 })
  })

  it('is masked in the same way wherever the pieces end', async () => {
    const rows = fc.array(
      fc.tuple(fc.option(texts, { nil: undefined }), fc.option(texts, { nil: undefined })),
    )
    await fc.assert(
      fc.asyncProperty(rows, sizes, async (cells, every) => {
        const masked = async (parts: readonly Buffer[]) => {
          const [to, dialogue] = [client(), new Dialogue()]
          dialogue.expect({ kind: 'query', shift: 0 })
          using stream = new MaskedPackets(to, await rulesOf(masking({ types: ['EMAIL_ADDRESS'] })), dialogue)
          for (const part of parts) await stream.pass(part)
          return readable([to.got()])
        }
        await expectSame(masked, answer(cells), every)
      }),
    )
  })

  it.each(['', '#HY000'])('masks the whole text of an error with the state "%s"', async (state) => {
    const [to, dialogue] = [client(), new Dialogue()]
    dialogue.expect({ kind: 'query', shift: 0 })
    using stream = new MaskedPackets(to, await rulesOf(masking({ types: ['EMAIL_ADDRESS'] })), dialogue)
    await stream.pass(packet(1, Buffer.concat([Buffer.of(0xff, 1, 2), Buffer.from(`${state}${MAIL}`)])))
    expect(to.got().includes(MAIL)).toBe(false)
  })

  it('changed at random, shows no value and breaks nothing', async () => {
    const rules = await rulesOf(masking({ types: ['EMAIL_ADDRESS'] }))
    await mutated(
      answer([
        [MAIL, '7'],
        [undefined, `two ${MAIL}`],
      ]),
      async (bytes) => {
        const [to, dialogue] = [client(), new Dialogue()]
        dialogue.expect({ kind: 'query', shift: 0 })
        using stream = new MaskedPackets(to, rules, dialogue)
        await stream.pass(bytes)
        return to.got()
      },
    )
  })
})
