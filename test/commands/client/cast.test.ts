import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RecordedSession, RecordedEvent } from '../../../src/client/rest/sessions.ts'
import { asciicast, framesOf } from '../../../src/commands/client/sessions/replay.ts'

const session = {
  ...{ id: 'ID', connection: 'bash', verb: 'connect', start_date: '2026-01-31T14:30:00Z' },
} as RecordedSession

describe('a recording of a session', () => {
  it('has the size of its terminal, its changes, and its output; errors are output, input is left out', () => {
    const recorded = recording([
      event(0, 'r', '100x30'),
      event(0.5, 'i', 'secret'),
      event(1, 'o', 'hi'),
      event(2, 'r', '120x40'),
      event(3, 'e', 'gone'),
      event(4, 'x', 'unknown'),
    ])
    expect(recorded).toEqual([
      {
        ...{ version: 2, width: 100, height: 30, timestamp: 1769869800, title: 'bash ID' },
        env: { TERM: 'xterm-256color' },
      },
      [1, 'o', 'hi'],
      [2, 'r', '120x40'],
      [3, 'o', 'gone'],
    ])
  })

  it('has times without the noise of binary fractions', () => {
    const events = [event(0.1 + 0.2, 'o', 'a'), event(1 / 3, 'r', '100x30'), event(2 / 3, 'r', '90x30')]
    expect(recording(events).slice(1)).toEqual([
      [0.3, 'o', 'a'],
      [0.666667, 'r', '90x30'],
    ])
  })

  it('is 80x24 where nobody recorded a size, or recorded none that is one', () => {
    for (const events of [[], [event(0, 'r', '0x')], [event(0, 'o', 'x')]])
      expect(recording(events)[0]).toMatchObject({ width: 80, height: 24 })
  })

  it('returns the carriage at the lines of an execution without a terminal', () => {
    const events = [event(0, 'o', 'a\nb\r'), event(1, 'o', '\nc\r\n\n')]
    expect(text(recording(events, 'exec'))).toBe('a\r\nb\r\nc\r\n\r\n')
    expect(text(recording(events))).toBe('a\nb\r\nc\r\n\n')
  })

  it('joins characters that are divided over pieces, wherever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat({ max: 9 })), (whole, cuts) => {
        const events: RecordedEvent[] = []
        let rest = Buffer.from(whole)
        for (const cut of cuts) {
          events.push([events.length, 'o', rest.subarray(0, cut)])
          rest = rest.subarray(cut)
        }
        expect(text(recording([...events, [99, 'o', rest]]))).toBe(whole)
      }),
    )
  })

  it('has nothing that a terminal obeys, wherever it comes from, and says the same', () => {
    const hostile = 'a\u009b2J\u202eb\u2028'
    const events = framesOf([event(0, 'o', hostile)])
    const [header, output] = [...asciicast({ ...session, connection: hostile }, events)]
    expect(`${header?.trimEnd()}${output?.trimEnd()}`).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(JSON.parse(header ?? '')).toMatchObject({ title: `${hostile} ID` })
    expect(JSON.parse(output ?? '')).toEqual([0, 'o', hostile])
  })

  it('keeps what is no text as a sign that something was there', () => {
    const events: RecordedEvent[] = [
      [0, 'o', Buffer.from([0x61, 0xff])],
      [1, 'o', Buffer.from([0xe2, 0x82])],
    ]
    expect(text(recording(events))).toBe('a\ufffd\ufffd')
  })
})

function event(seconds: number, kind: string, content: string): RecordedEvent {
  return [seconds, kind, Buffer.from(content)]
}

function recording(events: readonly RecordedEvent[], verb = 'connect'): unknown[] {
  return [...asciicast({ ...session, verb }, framesOf(events))].map((line) => JSON.parse(line) as unknown)
}

function text(lines: readonly unknown[]): string {
  return lines
    .filter((line): line is [number, string, string] => Array.isArray(line) && line[1] === 'o')
    .map(([, , part]) => part)
    .join('')
}
