import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type JournalEntry, journalLine, MAX_LINE_BYTES } from '../../../src/agent/journal/entries.ts'

const TIME = new Date('2026-03-04T05:06:07.089Z')
const line = (entry: JournalEntry, agent = 'local') => journalLine(entry, agent, TIME).toString()
const parse = (text: string) => JSON.parse(text) as Record<string, unknown>

const opened = (
  texts: Partial<Record<'connection' | 'origin' | 'userEmail', string>> = {},
): JournalEntry => ({
  event: 'opened',
  sid: 's1',
  connection: 'pg',
  type: 'database',
  origin: 'client-api-runbooks',
  verb: 'exec',
  userId: 'u1',
  userEmail: 'a@example.org',
  ...texts,
})

const entries: readonly (readonly [JournalEntry, string])[] = [
  [
    opened(),
    '"event":"opened","sid":"s1","connection":"pg","type":"database","origin":"client-api-runbooks","verb":"exec","userId":"u1","userEmail":"a@example.org"',
  ],
  [
    {
      terminal: false,
      inputBytes: 12,
      argumentCount: 3,
      program: 'psql',
      pid: 42,
      sid: 's1',
      event: 'started',
    },
    '"event":"started","sid":"s1","pid":42,"program":"psql","argumentCount":3,"inputBytes":12,"terminal":false',
  ],
  [
    {
      event: 'ended',
      sid: 's1',
      outcome: 'signaled',
      exitCode: 137,
      reason: 'timeout',
      signal: 'SIGKILL',
      durationMs: 1500,
      bytesRead: 10,
      bytesSent: 7,
      bytesLeftOut: 2,
      bytesRedacted: 1,
      processesEnded: 4,
      closeSent: true,
    },
    '"event":"ended","sid":"s1","outcome":"signaled","exitCode":137,"signal":"SIGKILL","reason":"timeout","durationMs":1500,"bytesRead":10,"bytesSent":7,"bytesLeftOut":2,"bytesRedacted":1,"processesEnded":4,"closeSent":true',
  ],
  [
    {
      event: 'ended',
      sid: 's1',
      outcome: 'not-started',
      exitCode: undefined,
      reason: undefined,
      durationMs: 0,
      bytesRead: 0,
      bytesSent: 0,
      bytesLeftOut: 0,
      bytesRedacted: 0,
      processesEnded: 0,
      closeSent: false,
    },
    '"event":"ended","sid":"s1","outcome":"not-started","durationMs":0,"bytesRead":0,"bytesSent":0,"bytesLeftOut":0,"bytesRedacted":0,"processesEnded":0,"closeSent":false',
  ],
  [{ event: 'starting', sid: 's1' }, '"event":"starting","sid":"s1"'],
  [{ event: 'confirmed', sid: 's1' }, '"event":"confirmed","sid":"s1"'],
  [{ event: 'unconfirmed', sid: 's1' }, '"event":"unconfirmed","sid":"s1"'],
  [
    { event: 'agent', state: 'started', version: '1.2.3', gateway: 'gw:8010', pid: 42 },
    '"event":"agent","state":"started","version":"1.2.3","gateway":"gw:8010","pid":42',
  ],
]

test.each(entries)('time, agent and the fields of %j stand in a fixed order', (entry, fields) => {
  expect(line(entry)).toBe(`{"time":"2026-03-04T05:06:07.089Z","agent":"local",${fields}}\n`)
})

test('what an entry brings along besides its fields stays out', () => {
  const entry = { event: 'confirmed' as const, sid: 's1', script: 'hunter2', arguments: ['hunter2'] }
  expect(line(entry)).not.toContain('hunter2')
})

test('a text is cut to 256 characters', () => {
  expect(parse(line(opened({ connection: 'c'.repeat(256) })))['connection']).toBe('c'.repeat(256))
  expect(parse(line(opened({ connection: 'c'.repeat(257) })))['connection']).toBe('c'.repeat(256))
  expect(parse(line(opened(), 'n'.repeat(300)))['agent']).toBe('n'.repeat(256))
})

test('the cut does not leave half a character', () => {
  const { connection } = parse(line(opened({ connection: `${'c'.repeat(255)}😀` })))
  expect(connection).toBe(`${'c'.repeat(255)}\ufffd`)
})

test('no control character stands in a line as it is, C1 included', () => {
  const controls = String.fromCharCode(...Array.from({ length: 160 }, (_, code) => code))
  const text = line(opened({ connection: controls }))
  expect(text.slice(0, -1)).not.toMatch(/\p{Cc}/u)
  expect(parse(text)['connection']).toBe(controls)
})

test('all texts are cut shorter when a line would be too long', () => {
  const long = '\x01'.repeat(1000)
  const text = line(opened({ connection: long, origin: long, userEmail: long }))
  expect(parse(text)).toMatchObject({
    connection: '\x01'.repeat(128),
    origin: '\x01'.repeat(128),
    userEmail: '\x01'.repeat(128),
    userId: 'u1',
  })
})

test('any texts give exactly one line of JSON of at most 4 KiB that holds their beginnings', () => {
  const wellFormed = (text: string) => text.replaceAll(/\p{Surrogate}/gu, '\ufffd')
  const units = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit))
  const expensive = fc.constantFrom('\x00', '\x9f', '"', '\\', '\u20ac', '\ud800', '😀')
  const text = fc.oneof(
    fc.string({ unit: units, maxLength: 400 }),
    fc.string({ unit: expensive, minLength: 200, maxLength: 2000 }),
    fc.string({ unit: 'binary', maxLength: 400 }),
  )
  const texts = fc.record({
    sid: text,
    connection: text,
    type: text,
    origin: text,
    verb: text,
    userId: text,
    userEmail: text,
  })
  fc.assert(
    fc.property(texts, text, (given, agent) => {
      const bytes = journalLine({ event: 'opened', ...given }, agent, TIME)
      expect(bytes.length).toBeLessThanOrEqual(MAX_LINE_BYTES)
      expect(bytes.indexOf('\n')).toBe(bytes.length - 1)
      const found = parse(bytes.toString())
      expect(found['time']).toBe(TIME.toISOString())
      for (const [name, value] of Object.entries({ agent, ...given })) {
        const shown = String(found[name])
        expect(shown.length).toBeGreaterThanOrEqual(Math.min(value.length, 64))
        // The last one may be half a character that became U+FFFD.
        expect(wellFormed(value).startsWith(shown.slice(0, -1))).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
})
