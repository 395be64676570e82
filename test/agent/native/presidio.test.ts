import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Dialogue } from '../../../src/agent/native/mysql/dialogue.ts'
import { packet } from '../../../src/agent/native/mysql/login.ts'
import { MaskedPackets } from '../../../src/agent/native/mysql/masked.ts'
import { encodeLengthPrefixed as counted } from '../../../src/agent/native/mysql/values.ts'
import { MaskedMessages } from '../../../src/agent/native/postgres/masked.ts'
import { messageOf, encodeCString } from '../../../src/agent/native/postgres/messages.ts'
import type { NativeClient } from '../../../src/agent/native/protocol.ts'
import type { ConnectionRules } from '../../../src/agent/native/rules/session-rules.ts'
import { client, masking, rulesOf } from '../../support/native/rules.ts'
import { Presidio } from '../../support/scripted/presidio.ts'
import { json } from '../../support/scripted/scripted-rest.ts'

let presidio: Presidio
beforeAll(async () => {
  presidio = await Presidio.start()
})
afterAll(() => presidio[Symbol.asyncDispose]())

const byPresidio = (mode: string, url = presidio.analyzer.url) => ({
  ...masking({ types: ['PERSON', 'EMAIL_ADDRESS'] }),
  ...{ dlpProvider: 'mspresidio', dlpMode: mode, dlpPresidioAnalyzerUrl: url, dlpPresidioAnonymizerUrl: '' },
})

const NAME = 'Grace'
const letter = (one: string) => one.charCodeAt(0)
const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
const cell = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)])
const column = packet(
  2,
  Buffer.concat([
    ...['def', '', '', '', 'name', ''].map((text) => counted(Buffer.from(text))),
    Buffer.from([0x0c, 45, 0, 0, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0]),
  ]),
)
const eof = (seq: number) => packet(seq, Buffer.from([0xfe, 0, 0, 2, 0]))

interface Way {
  readonly rows: Buffer
  readonly stream: (to: NativeClient, rules: ConnectionRules) => AsyncMasked
}
interface AsyncMasked extends Disposable {
  pass(bytes: Buffer): Promise<void>
}

const ways: Readonly<Record<'postgres' | 'mysql', Way>> = {
  postgres: {
    rows: Buffer.concat([
      messageOf(letter('T'), int16(1), encodeCString('name'), Buffer.alloc(18)),
      messageOf(letter('D'), int16(1), cell(`to ${NAME}`)),
      messageOf(letter('Z'), Buffer.from('I')),
    ]),
    stream: (to, rules) => new MaskedMessages(to, rules),
  },
  mysql: {
    rows: Buffer.concat([
      packet(1, Buffer.of(1)),
      column,
      eof(3),
      packet(4, counted(Buffer.from(`to ${NAME}`))),
      eof(5),
    ]),
    stream: (to, rules) => {
      const dialogue = new Dialogue()
      dialogue.expect({ kind: 'query', shift: 0 })
      return new MaskedPackets(to, rules, dialogue)
    },
  },
}

describe.each(['postgres', 'mysql'] as const)('rows of %s, masked by Presidio', (name) => {
  const { rows, stream } = ways[name]

  /** What the client gets, and why its connection ends. */
  async function passed(mode: string, url?: string) {
    const to = client()
    using masked = stream(to, await rulesOf(byPresidio(mode, url)))
    const stopped = await masked.pass(rows).catch((error: unknown) => error)
    return { got: to.got().toString('latin1'), stopped }
  }

  it('have what its model finds replaced', async () => {
    const { got, stopped } = await passed('strict')
    expect(stopped).toBeUndefined()
    expect(got).toContain('to <PERSON>')
    expect(got).not.toContain(NAME)
  })

  it('reach nobody where it is down or answers nonsense, in strict mode, and the client is told', async () => {
    await using nonsense = await Presidio.start()
    nonsense.analyzer.on(
      'POST /analyze',
      json(200, [{ entity_type: 'PERSON', start: 3, end: 9999, score: 1 }]),
    )
    for (const [url, why] of [
      ['http://127.0.0.1:1', /ECONNREFUSED|refused/],
      [nonsense.analyzer.url, /not valid for this text/],
    ] as const) {
      const { got, stopped } = await passed('strict', url)
      expect(stopped).toMatchObject({ name: 'NativeError', code: 'stopped' })
      expect(got).toMatch(/the output must be masked \(strict mode\), but masking failed/)
      expect(got).toMatch(why)
      expect(got).not.toContain(NAME)
    }
  })

  it('pass where it is down, in the mode that allows that', async () => {
    const { got, stopped } = await passed('best-effort', 'http://127.0.0.1:1')
    expect([stopped, got.includes(NAME)]).toEqual([undefined, true])
  })

  it('wait for a slow one, and are given up with their client', async () => {
    let asked = (): void => undefined
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    await using slow = await Presidio.start()
    slow.analyzer.on('POST /analyze', () => asked())
    const gone = new AbortController()
    const to = client()
    using masked = stream(to, await rulesOf(byPresidio('strict', slow.analyzer.url), gone.signal))
    const passing = masked.pass(rows).catch((error: unknown) => error)
    await isAsked
    gone.abort()
    await passing
    expect(to.got().toString('latin1')).not.toContain(NAME)
  })
})
