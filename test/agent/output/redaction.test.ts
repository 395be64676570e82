import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Redactions } from '../../../src/agent/output/redaction.ts'
import { createVariable, Entry, type EntryOrigin } from '../../../src/envvars/entry.ts'
import type { Redaction } from '../../../src/policy/redaction/redactor.ts'
import { parseNameRule, SecretNames } from '../../../src/policy/redaction/secret-names.ts'

const opened = () => new Redactions(new SecretNames([]), { info: () => undefined, warn: () => undefined })
const password = (value: string) => new Entry('envvar', 'PASSWORD', Buffer.from(value))

const entry = fc
  .record({
    kind: fc.constantFrom('envvar' as const, 'filesystem' as const),
    name: fc.constantFrom('PASSWORD', 'STAGE', 'NOTE'),
    value: fc.constantFrom('hunter22', 'hunter23', 'staging'),
    origin: fc.constantFrom('connection' as const, 'client' as const, 'agent' as const),
  })
  .map(({ kind, name, value, origin }) => new Entry(kind, name, Buffer.from(value), origin))

describe('the redaction of an output', () => {
  it('is compiled once for sessions with the same variables', () => {
    const redactions = opened()
    const first = redactions.of([password('hunter22')])
    expect(redactions.of([password('hunter23')])).not.toBe(first)
    expect(redactions.of([password('hunter22')])).toBe(first)
  })

  it('does not differ by what the agent itself sets', () => {
    const redactions = opened()
    const session = (sid: string) => [
      password('hunter22'),
      new Entry('envvar', 'HOOP_SESSION_ID', Buffer.from(sid), 'agent'),
    ]
    expect(redactions.of(session('one'))).toBe(redactions.of(session('two')))
  })

  it('replaces what it would without the sessions before', () => {
    const output = Buffer.from('hunter22 hunter23 staging')
    fc.assert(
      fc.property(fc.array(fc.array(entry, { maxLength: 3 }), { maxLength: 40 }), (sessions) => {
        const redactions = opened()
        const shown = (redaction: Redaction) => redaction.replaceIn(output).toString()
        for (const entries of sessions)
          expect(shown(redactions.of(entries))).toBe(shown(opened().of(entries)))
      }),
    )
  })

  it('keeps no secret of a session that is over', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const redactions = opened()
    const secret = new WeakRef(redactions.of([password('hunter22')]))
    // What was asked for in this turn of the loop is not collected in it.
    await turn()
    collect()
    expect(secret.deref()).toBeUndefined()
    expect(redactions.of([]).empty).toBe(true)
  })

  it('names once what is replaced although it looks ordinary, and says no value', () => {
    const said: unknown[] = []
    const log = { info: (...line: unknown[]) => void said.push(line), warn: () => undefined }
    const rules = ['!EXEMPT'].flatMap((rule) => parseNameRule(rule) ?? [])
    const redactions = new Redactions(new SecretNames(rules), log)
    const variable = (name: string, value: string, origin: EntryOrigin = 'connection') =>
      createVariable(name, value, origin)
    const entries = [
      ...[variable('PLACE', 'web-06'), variable('PASS', 'postgres'), variable('EXEMPT', 'web-07')],
      ...[
        variable('WORDS', 'staging'),
        variable('TOKEN', 'kJ8-xx2p-91Qa-ff'),
        variable('OWN', 'web-08', 'client'),
      ],
      variable('HOOP_CONNECTION_NAME', 'pg', 'agent'),
    ]
    redactions.of(entries)
    redactions.of(entries)
    redactions.of([...entries, variable('MORE', 'x-99-y', 'client')])
    expect(said).toEqual([[{ connection: 'pg', names: ['PLACE', 'PASS'] }, expect.any(String)]])
    expect(JSON.stringify(said)).not.toContain('web-06')
    expect([...redactions.ordinary]).toEqual([['pg', ['PLACE', 'PASS']]])
  })

  it('names such variables of a hundred connections, and twenty of each', () => {
    const redactions = opened()
    for (let connection = 0; connection < 102; connection++)
      redactions.of([
        createVariable('HOOP_CONNECTION_NAME', `c${connection}`, 'agent'),
        ...Array.from({ length: 22 }, (_, at) =>
          createVariable(`PASS_${connection}_${at}`, 'postgres', 'connection'),
        ),
      ])
    expect(redactions.ordinary.size).toBe(100)
    expect([redactions.ordinary.has('c99'), redactions.ordinary.has('c100')]).toEqual([true, false])
    expect(redactions.ordinary.get('c0')).toHaveLength(20)
  })
})
