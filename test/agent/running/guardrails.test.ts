import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/wire/packet.ts'
import type { ConnectionParams } from '../../../src/wire/params.ts'
import { RemoteConsole } from '../../support/scripted/remote-console.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { agentForEachTest, gateway, running } from '../../support/sites/each-agent.ts'
import { waitFor } from '../../support/wait.ts'

// Real commands behind guardrail rules. The rows of protocol.md 8.1 and of the reference's agent, by name.

agentForEachTest()

interface Rule {
  readonly type: string
  readonly words?: readonly string[] | null
  readonly pattern_regex?: string
  readonly message?: string
}

const ruled = (
  direction: 'input' | 'output',
  ...sets: Rule[][]
): Pick<ConnectionParams, 'guardRailRules'> => ({
  guardRailRules: Buffer.from(JSON.stringify({ [`${direction}_rules`]: sets.map((rules) => ({ rules })) })),
})
const drop: Rule = { type: 'deny_words_list', words: ['DROP', 'TRUNCATE'], pattern_regex: '', message: '' }
const ssn: Rule = {
  ...{ type: 'pattern_match', words: null, pattern_regex: '[0-9]{3}-[0-9]{2}-[0-9]{4}' },
  message: 'no social security numbers',
}

let sessions = 0
async function exec(
  script: string,
  params: Partial<ConnectionParams>,
  clientEnvVars: Record<string, string> = {},
): Promise<{ sid: string; close: Packet; code: string; info: unknown }> {
  const sid = `guarded-${sessions++}`
  gateway.send('AgentSessionOpen', openSpec(sid, params, clientEnvVars))
  await waitFor(() => gateway.of(sid).length > 0)
  if (gateway.of(sid)[0]?.type === 'ClientSessionOpenOK')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
  const close = await gateway.closeOf(sid)
  return { sid, close, ...told(close) }
}

function told(close: Packet): { code: string; info: unknown } {
  const info = close.spec['client.guardrails_info']
  return {
    code: String(close.spec['client.exit_code']),
    info: info === undefined ? undefined : (JSON.parse(String(info)) as unknown),
  }
}

const marker = () => path.join(running.services.cwd, 'ran')

describe('input rules', () => {
  it('stop a script before anything runs: a line on stderr, an empty close with 254 and the rule', async () => {
    const { sid, close, code, info } = await exec('touch ran; echo DROP TABLE t', ruled('input', [drop]))
    expect(gateway.of(sid).map(({ type }) => type)).toEqual([
      'ClientSessionOpenOK',
      'ClientWriteStderr',
      'ClientSessionClose',
    ])
    expect(gateway.written(sid)).toBe(
      'Blocked by the following Hoop Guardrails Rules: input_rules[0].rules[0] deny_words_list\n',
    )
    expect({ payload: String(close.payload), code, info }).toEqual({
      payload: '',
      code: '254',
      info: [
        {
          rule_name: '',
          rule: { type: 'deny_words_list', words: ['DROP', 'TRUNCATE'] },
          direction: 'input',
          matched_words: ['DROP'],
        },
      ],
    })
    expect(existsSync(marker())).toBe(false)
    expect(running.secretFiles()).toEqual([])
  })

  it('tell the message of the rule, and of a pattern the pattern itself', async () => {
    const { sid, info } = await exec('echo 123-45-6789', ruled('input', [drop, ssn]))
    expect(gateway.written(sid)).toBe(
      'Blocked by the following Hoop Guardrails Rules: no social security numbers\n',
    )
    expect(info).toEqual([
      {
        rule_name: '',
        rule: { type: 'pattern_match', pattern_regex: ssn.pattern_regex },
        direction: 'input',
        matched_words: [ssn.pattern_regex],
        message: 'no social security numbers',
      },
    ])
  })

  it('let a script pass that breaks none, and its output is not looked through', async () => {
    const { sid, code, info } = await exec('echo DR""OP', ruled('input', [drop]))
    expect([code, info, gateway.written(sid)]).toEqual(['0', undefined, 'DROP\n'])
  })

  it.each([
    ['an argument of the client', { clientArgs: ['-c', 'echo DROP'] }],
    ['arguments of the client that make it together', { clientArgs: ['delete', 'all'] }],
    ['an argument that a variable of the client is put into', { clientArgs: ['-c', '$TEXT'] }],
  ])('are held against %s', async (_, params) => {
    const rules = ruled('input', [{ ...drop, words: ['DROP', 'delete all'] }])
    const { code, info } = await exec('true', { ...rules, ...params }, { 'envvar:TEXT': base64('echo DROP') })
    expect([code, info]).toMatchObject(['254', [{ direction: 'input' }]])
  })

  it("are not held against the connection's own command", async () => {
    const { sid, code } = await exec('', { ...ruled('input', [drop]), cmdList: ['echo', 'DROP'] })
    expect([code, gateway.written(sid)]).toEqual(['0', 'DROP\n'])
  })

  it('are no reason to judge what a script of the verb plain-exec says: none come with it', async () => {
    const { code } = await exec('true # DROP', { clientVerb: 'plain-exec' })
    expect(code).toBe('0')
  })

  it.each([
    [
      'in sets, in order: a violation before a rule that cannot be judged',
      [[drop], [{ type: 'x' }]],
      'violation',
    ],
    [
      'in sets, in order: a rule that cannot be judged before the violation',
      [[{ type: 'x' }], [drop]],
      'error',
    ],
    ['twice, as a rule that is bound twice comes', [[drop], [drop]], 'violation'],
    [
      'with an empty pattern and empty words, which match nothing',
      [
        [
          { ...ssn, pattern_regex: '' },
          { ...drop, words: [''] },
        ],
      ],
      'pass',
    ],
  ] as const)('%s', async (_, sets, outcome) => {
    const { code, info, close } = await exec('echo DROP', ruled('input', ...sets.map((set) => [...set])))
    const expected = {
      violation: ['254', true, ''],
      error: ['254', false, 'unknown rule type "x"'],
      pass: ['0', false, ''],
    }
    expect([code, info !== undefined, String(close.payload)]).toEqual(expected[outcome])
  })
})

describe('rules that take minutes to look through a text', () => {
  // Each place of the text is another state.
  const hostile = { ...ssn, pattern_regex: '(?s)[ab]*a.{300}c' }
  const manyHostile = Array.from({ length: 30 }, (_, n) => ({
    ...ssn,
    pattern_regex: `(?s)[ab]*a.{${300 + n}}c`,
  }))
  const letters = Buffer.from(Array.from(randomBytes(8_000_000), (byte) => 97 + (byte % 2))).toString(
    'latin1',
  )

  it('do not keep a session that was closed while they judge its script: nothing runs, and its slot is free', async () => {
    const sid = 'unjudged'
    gateway.send('AgentSessionOpen', openSpec(sid, ruled('input', [hostile])))
    await waitFor(() => gateway.of(sid).length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, `touch ran #${letters}`)
    await waitFor(() => running.services.slots.taken === 1)
    gateway.send('AgentSessionClose', { 'gateway.session_id': sid })
    await waitFor(() => running.entries.some(({ event }) => event === 'ended'))
    expect(running.entries.at(-1)).toMatchObject({ outcome: 'not-started', reason: 'closed-by-gateway' })
    expect(running.services.slots.taken).toBe(0)
    expect(existsSync(marker())).toBe(false)
  })

  it('do not keep a session that was closed while they look through its output', async () => {
    const sid = 'unread'
    gateway.send('AgentSessionOpen', openSpec(sid, ruled('output', manyHostile)))
    await waitFor(() => gateway.of(sid).length > 0)
    const script = `head -c 60000 /dev/urandom | tr '\\0-\\377' '[a*128][b*128]'; touch ran; exec sleep 1000`
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
    await waitFor(() => existsSync(marker()))
    gateway.send('AgentSessionClose', { 'gateway.session_id': sid })
    await waitFor(() => running.entries.some(({ event }) => event === 'ended'))
    expect(running.entries.at(-1)).toMatchObject({ reason: 'closed-by-gateway', bytesSent: 0 })
  })
})

describe('what journal, metrics and log say of a broken rule', () => {
  it.each([
    ['input', 'echo 123-45-6789', 'refused'],
    ['output', 'echo 123-45-$((6780 + 9)); exec sleep 1000', 'signaled'],
  ] as const)('is which one it is, for %s, and nothing of the text', async (direction, script, outcome) => {
    await exec(script, ruled(direction, [drop, ssn]))
    const rule = `${direction}_rules[0].rules[1] pattern_match`
    expect(running.entries.at(-1)).toMatchObject({
      ...{ event: 'ended', outcome, reason: 'guardrails', exitCode: 254 },
      ...{ guardrail: rule, guardrailMessage: 'no social security numbers' },
    })
    expect(running.log.filter((line) => line.includes('a guardrail rule was broken'))).toEqual([
      expect.stringContaining(rule),
    ])
    expect(`${running.log.join('\n')}${JSON.stringify(running.entries)}`).not.toContain('6789')
  })
})

describe('output rules', () => {
  it('stop a command in its output: nothing of the match leaves, nor what comes after it', async () => {
    const script = 'echo before; echo 123-45-6789; echo after >&2; echo after; exec sleep 1000'
    const { sid, close, code, info } = await exec(script, ruled('output', [ssn]))
    expect(gateway.written(sid, 'stdout')).toMatch(/^(before\n)?$/)
    expect(gateway.written(sid, 'stderr').trim()).toBe(
      'Blocked by the following Hoop Guardrails Rules: no social security numbers',
    )
    expect([code, String(close.payload), info]).toMatchObject([
      '254',
      '',
      [{ direction: 'output', rule_name: '' }],
    ])
  })

  it('look through stderr as well', async () => {
    const { sid, code } = await exec('echo 123-45-6789 >&2', ruled('output', [ssn]))
    expect([code, gateway.written(sid).includes('6789')]).toEqual(['254', false])
  })

  it('replace the code of a command that had ended by itself', async () => {
    const { code } = await exec('echo 123-45-6789; exit 0', ruled('output', [ssn]))
    expect(code).toBe('254')
  })

  it('let an output pass that breaks none, byte for byte', async () => {
    const { sid, code } = await exec('seq 1 100000', ruled('output', [ssn, drop]))
    expect(code).toBe('0')
    expect(gateway.written(sid)).toBe(Array.from({ length: 100_000 }, (_, n) => `${n + 1}\n`).join(''))
  })

  it('find a match however the command cuts it, and show nothing of it', async () => {
    const text = 'a 123-45-6789 b'
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: text.length - 1 }), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const ends = [...places.toSorted((a, b) => a - b), text.length]
        const pieces = ends.map((end, at) => text.slice(ends[at - 1] ?? 0, end))
        // Each piece is a write of its own, and the pipe is empty before the next.
        const script = pieces.map((piece) => `printf %s '${piece}'; sleep 0.02`).join('; ')
        const { sid, code } = await exec(script, ruled('output', [ssn]))
        expect([code, gateway.written(sid, 'stdout')]).toEqual(['254', expect.stringMatching(/^(a ?)?$/)])
      }),
      { numRuns: 8 },
    )
  })

  it('end a command behind a reader who does not read, and nothing behind the match leaves', async () => {
    const sid = 'slow'
    gateway.send('AgentSessionOpen', openSpec(sid, { ...ruled('output', [ssn]), clientOrigin: 'client' }))
    await waitFor(() => gateway.of(sid).length > 0)
    // It takes packet by packet, each when it has had time for others.
    const { stream } = gateway
    stream?.pause()
    gateway.onPacket = () => {
      stream?.pause()
      setImmediate(() => stream?.resume())
    }
    const script = 'head -c 8000000 /dev/zero; echo 123-45-6789; head -c 8000000 /dev/zero; exec sleep 1000'
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
    await waitFor(() => running.entries.some(({ event }) => event === 'started'))
    stream?.resume()
    const close = await gateway.closeOf(sid)
    const bytes = gateway
      .of(sid)
      .reduce((sum, { type, payload }) => sum + (type === 'ClientWriteStdout' ? payload.length : 0), 0)
    expect(told(close).code).toBe('254')
    expect(bytes).toBeLessThanOrEqual(8_000_000)
    expect(gateway.written(sid)).not.toContain('123-')
  })

  it('end a command that ignores SIGTERM by the ladder', async () => {
    const script = `trap '' TERM; echo 123-45-6789; while :; do sleep 1; done`
    const { code } = await exec(script, ruled('output', [ssn]))
    expect(code).toBe('254')
    expect(running.entries.at(-1)).toMatchObject({ signal: 'SIGKILL', reason: 'guardrails' })
  })

  it('are held against what a terminal shows', async () => {
    const envVars = new Map([['envvar:SCRIPT', base64('read line; echo 123-45-$((6780 + 9)); sleep 1000')]])
    const params = { cmdList: ['bash', '-c', '$SCRIPT'], envVars, ...ruled('output', [ssn]) }
    const console = await RemoteConsole.open(gateway, 'terminal', params)
    console.begin()
    console.type('\n')
    expect(told(await console.ended())).toMatchObject({ code: '254', info: [{ direction: 'output' }] })
    expect(gateway.written('terminal')).not.toContain('6789')
  })
})
