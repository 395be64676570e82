import { describe, expect, it } from 'vitest'
import { Dialogue } from '../../../src/agent/native/mysql/dialogue.ts'
import { JudgedCommands } from '../../../src/agent/native/mysql/judged.ts'
import { packet } from '../../../src/agent/native/mysql/login.ts'
import { MaskedPackets } from '../../../src/agent/native/mysql/masked.ts'
import { COM } from '../../../src/agent/native/mysql/packets.ts'
import { encodeLengthPrefixed as counted } from '../../../src/agent/native/mysql/values.ts'
import { NativeError } from '../../../src/agent/native/native-error.ts'
import { JudgedMessages } from '../../../src/agent/native/postgres/judged.ts'
import { MaskedMessages } from '../../../src/agent/native/postgres/masked.ts'
import { messageOf, encodeCString } from '../../../src/agent/native/postgres/messages.ts'
import { client, guardrails, masking, rulesOf } from '../../support/native/rules.ts'

const MAIL = 'ann@example.com'
const FORBIDDEN = 'DROP TABLE'
const type = { time: 0x0b, year: 0x0d, text: 0xfd } as const

/** An execution of the statement 1. @param flag says whether types come with it */
const execution = (flag: number, types: readonly number[], ...values: readonly Buffer[]) =>
  packet(
    0,
    Buffer.concat([
      Buffer.from([COM.execute, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, flag]),
      ...types.map((one) => Buffer.from([one, 0])),
      ...values,
    ]),
  )
const text = (value: string) => counted(Buffer.from(value))
/** What a message is that the server gets: behind its header, the execution or a query that no server takes. */
const is = (refused: boolean) => (refused ? /^.{5}\)refused_by_guardrail/s : /^.{5}(?!\))/s)

describe('values of a MySQL client', () => {
  async function statement(parameters: number) {
    const dialogue = new Dialogue()
    dialogue.prepared(1, parameters)
    const stream = new JudgedCommands(await rulesOf(guardrails({ input: [FORBIDDEN] })), dialogue)
    return async (bytes: Buffer) => (await stream.judge(bytes)).toString('latin1')
  }

  it('are read by the types that the server has, not by those of a refused execution', async () => {
    const sent = await statement(2)
    expect(await sent(execution(1, [type.text, type.text], text('a'), text('b')))).toMatch(is(false))
    const refused = execution(1, [type.text, type.time], text(FORBIDDEN), Buffer.of(0))
    expect(await sent(refused)).toMatch(is(true))
    // By the types of the refused one, the second value would be a time.
    expect(await sent(execution(0, [], text('a'), text(FORBIDDEN)))).toMatch(is(true))
  })

  it('have types before them wherever a server takes the flag for yes', async () => {
    const sent = await statement(1)
    expect(await sent(execution(1, [type.time], Buffer.of(0)))).toMatch(is(false))
    // Without types before it, this would be a time of 253 bytes.
    const value = Buffer.concat([Buffer.from([0xfc, 249, 0]), Buffer.from(FORBIDDEN.padEnd(249))])
    expect(await sent(execution(2, [type.text], value))).toMatch(is(true))
  })

  it('are refused where servers read their lengths in another way', async () => {
    const sent = await statement(1)
    // A server takes the first byte of the time for the head of a longer length, that of the text for a number behind it.
    const long = Buffer.concat([Buffer.from([0xfc, 0, 0]), Buffer.alloc(250, FORBIDDEN)])
    expect(await sent(execution(1, [type.time], long))).toMatch(is(true))
    expect(await sent(execution(1, [type.text], Buffer.of(0xfb)))).toMatch(is(true))
    expect(await sent(execution(1, [type.year], Buffer.from([1, 0])))).toMatch(is(true))
  })
})

describe('what a MySQL client makes the agent keep', () => {
  it('counts while it waits, however much of a packet has come at once', async () => {
    const [one, other] = await Promise.all([0, 1].map(() => rulesOf(guardrails({ input: [FORBIDDEN] }))))
    if (one === undefined || other === undefined) throw new Error('no rules')
    using stream = new JudgedCommands(one, new Dialogue())
    const large = packet(0, Buffer.alloc(16_000_000, '\u0003'))
    await stream.judge(large.subarray(0, -1))
    expect(one.hasRoomFor(120_000_000)).toBe(false)
    await stream.judge(large.subarray(-1))
    expect(one.hasRoomFor(120_000_000)).toBe(true)
  })

  it('is bounded where commands wait for the server', async () => {
    using stream = new JudgedCommands(await rulesOf(guardrails({ input: [FORBIDDEN] })), new Dialogue())
    const ping = packet(0, Buffer.of(COM.ping))
    await expect(stream.judge(Buffer.alloc(ping.length * 20_000, ping))).rejects.toThrow(NativeError)
  })
})

const column = (seq: number, name: string, more: Buffer = Buffer.alloc(0)) =>
  packet(
    seq,
    Buffer.concat([
      ...['def', '', '', '', name, ''].map(text),
      Buffer.from([0x0c, 45, 0, 0, 0, 0, 0, type.text, 0, 0, 0, 0, 0]),
      more,
    ]),
  )
const eof = (seq: number) => packet(seq, Buffer.from([0xfe, 0, 0, 2, 0]))
const error = (message: Buffer) =>
  packet(1, Buffer.concat([Buffer.from('\xff\x28\x04#23000', 'latin1'), message]))

describe('what a MySQL server says', () => {
  async function answered(kind: 'fields' | 'prepare' | 'query', ...packets: readonly Buffer[]) {
    const [to, dialogue] = [client(), new Dialogue()]
    dialogue.expect({ kind, shift: 0 })
    using stream = new MaskedPackets(to, await rulesOf(masking({ types: ['EMAIL_ADDRESS'] })), dialogue)
    const stopped = await stream.pass(Buffer.concat(packets)).catch((reason: unknown) => reason)
    return { stopped, got: to.got().toString('latin1').replaceAll('\0', ''), waits: dialogue.current }
  }

  it('is masked in the names and defaults of columns, wherever they are described', async () => {
    const prepared = packet(1, Buffer.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
    for (const { got, stopped, waits } of [
      await answered('fields', column(1, 'a', text(MAIL)), column(2, MAIL, Buffer.of(0xfb)), eof(3)),
      await answered('prepare', prepared, column(2, MAIL), eof(3)),
    ]) {
      expect([stopped, waits]).toEqual([undefined, undefined])
      expect(got).not.toContain(MAIL)
      expect(got).toContain('<EMAIL_ADDRESS>')
    }
  })

  it('ends the connection where it is an error in UTF-16, which nobody can mask', async () => {
    const { got, stopped } = await answered('query', error(Buffer.from(`'${MAIL}'`, 'utf16le')))
    expect(stopped).toMatchObject({ name: 'NativeError', code: 'stopped' })
    expect(got).not.toContain(MAIL)
    expect(got).toContain('character_set_results')
  })

  it('is read with as many columns as there may be, and not with more', async () => {
    const count = (columns: number) =>
      packet(1, Buffer.from([0xfd, columns & 0xff, (columns >> 8) & 0xff, columns >> 16]))
    const columns = Array.from({ length: 2000 }, () => column(2, 'n'))
    const least = await answered('query', count(2000), ...columns, eof(3), eof(4))
    expect([least.stopped, least.waits]).toEqual([undefined, undefined])
    expect((await answered('query', count(0x10000))).stopped).toBeInstanceOf(NativeError)
  })

  it('is read with names of 16 MiB together, and not with more', async () => {
    const long = column(2, 'n'.repeat(8_000_000))
    const answer = (columns: number) =>
      answered('query', packet(1, Buffer.of(columns)), ...Array.from({ length: columns }, () => long), eof(3))
    expect((await answer(2)).stopped).toBeUndefined()
    expect((await answer(3)).stopped).toBeInstanceOf(NativeError)
  })
})

const letter = (one: string) => one.charCodeAt(0)
const head = (format: number) =>
  messageOf(letter('T'), Buffer.from([0, 1]), encodeCString('n'), Buffer.alloc(17), Buffer.of(format))
const row = (value: string) =>
  messageOf(letter('D'), Buffer.from([0, 1, 0, 0, 0, value.length]), Buffer.from(value))

describe('what a PostgreSQL client asks for', () => {
  it('is refused in the binary format, with the setting that changes the format', async () => {
    const rules = await rulesOf(masking({ types: ['EMAIL_ADDRESS'] }))
    using stream = new JudgedMessages(rules)
    const formats = [Buffer.from([0, 0, 0, 0, 0, 2]), Buffer.from([0, 0, 0, 1])]
    const bind = messageOf(letter('B'), encodeCString(''), encodeCString('S_1'), ...formats)
    expect(rules.refusalIn(await stream.judge(bind))?.message).toContain('JDBC: binaryTransfer=false')
  })
})

describe('what a PostgreSQL server says', () => {
  it('is masked where a description says that it is binary, and it is a text of another portal', async () => {
    const to = client()
    const lenient = { ...masking({ types: ['EMAIL_ADDRESS'] }), dlpMode: 'best-effort' }
    using stream = new MaskedMessages(to, await rulesOf(lenient))
    await stream.pass(Buffer.concat([head(1), row(MAIL), row(`\0${MAIL}`)]))
    expect(
      to
        .got()
        .toString()
        .match(/ann@example|EMAIL_ADDRESS/g),
    ).toEqual(['EMAIL_ADDRESS', 'ann@example'])
  })

  it('is not kept without an end, where rows without a byte follow what may break a rule', async () => {
    using stream = new MaskedMessages(client(), await rulesOf(guardrails({ output: [FORBIDDEN] })))
    const empty = messageOf(letter('d'))
    await stream.pass(messageOf(letter('d'), Buffer.from('DROP')))
    await expect(stream.pass(Buffer.alloc(empty.length * 100_000, empty))).rejects.toMatchObject({
      code: 'stopped',
    })
  })
})
