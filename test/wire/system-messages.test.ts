import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { encodeAgentMessage } from '../../src/wire/messages/from-agent.ts'
import { decodeGatewayPacket } from '../../src/wire/messages/from-gateway.ts'
import type { ShippedLine, SessionId } from '../../src/wire/messages/message.ts'
import type { Packet } from '../../src/wire/packet.ts'
import type { SystemReply } from '../../src/wire/messages/system-request.ts'

const sid = 'r1' as SessionId
const packet = (type: string, payload: string | Buffer): Packet => ({
  type,
  spec: { 'gateway.session_id': Buffer.from(sid) },
  payload: Buffer.from(payload),
})
const HOOK = 'SysRunbookHookRequestType'
const BARE = 'SysBareExecRequest'

function requestOf(type: string, payload: unknown) {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const message = decodeGatewayPacket(packet(type, text))
  if (message.kind !== 'system') throw new Error(`decoded as ${message.kind}`)
  return message.request
}

describe('a system request', () => {
  it('for a hook is read with what is known of its session, and kept as it came', () => {
    const payload = {
      id: 'r1',
      sid: 's1',
      command: ['python3'],
      input_file: 'print(1)',
      event_session_open: {
        verb: 'exec',
        connection_name: 'pg',
        connection_type: 'custom',
        connection_subtype: '',
        connection_envs: { 'envvar:PASS': 'eA==', odd: 1 },
        connection_reviewers: null,
        input: 'select 1',
        user_email: 'a@b.test',
      },
      event_session_close: null,
    }
    expect(requestOf(HOOK, payload)).toEqual({
      kind: 'hook',
      command: ['python3'],
      script: 'print(1)',
      payload: Buffer.from(JSON.stringify(payload)),
      session: 's1',
      connection: 'pg',
      connectionType: 'custom',
      userEmail: 'a@b.test',
      connectionEnvs: { 'envvar:PASS': 'eA==', odd: 1 },
    })
  })

  it('to run a script is read with its data and variables', () => {
    const payload = {
      sid: 'r1',
      agent_id: 'x',
      script: '{{ .a }}',
      template_data: { a: [1] },
      command: ['psql', '--port=$PORT'],
      env_vars: { PORT: '5432', __proto__x: 'y' },
      newer: { field: 1 },
    }
    expect(requestOf(BARE, payload)).toEqual({
      kind: 'bare-exec',
      command: ['psql', '--port=$PORT'],
      script: '{{ .a }}',
      templateData: { a: [1] },
      variables: new Map([
        ['PORT', '5432'],
        ['__proto__x', 'y'],
      ]),
    })
  })

  it.each([{}, 'null', { command: null, script: null, template_data: null, env_vars: null, sid: null }])(
    'lacks what is absent or null, as in Go: %j',
    (payload) => {
      const nothing = { kind: 'bare-exec', command: [], script: '', templateData: null, variables: new Map() }
      expect(requestOf(BARE, payload)).toEqual(nothing)
    },
  )

  it.each([
    [HOOK, '', 'payload: not valid JSON'],
    [HOOK, '{"command": hunter2}', 'payload: not valid JSON'],
    [HOOK, '[]', 'payload: expected an object'],
    [HOOK, '"hunter2"', 'payload: expected an object'],
    [HOOK, { command: 'hunter2' }, 'command: expected a list of texts'],
    [HOOK, { command: ['a', 1] }, 'command[1]: expected a string'],
    [HOOK, { input_file: 1 }, 'input_file: expected a string'],
    [HOOK, { event_session_open: 'hunter2' }, 'event_session_open: expected an object'],
    [
      HOOK,
      { event_session_open: { connection_name: 2 } },
      'event_session_open.connection_name: expected a string',
    ],
    [BARE, '{', 'payload: not valid JSON'],
    [BARE, { env_vars: ['hunter2'] }, 'env_vars: expected an object'],
    [BARE, { env_vars: { PORT: 5432 } }, 'env_vars["PORT"]: expected a string'],
    [BARE, { template_data: 'hunter2' }, 'template_data: expected an object'],
    [BARE, { script: { a: 'hunter2' } }, 'script: expected a string'],
  ])('%s that is malformed says where, and not what: %j', (type, payload, reason) => {
    expect(requestOf(type, payload)).toEqual({
      kind: 'malformed',
      of: type === HOOK ? 'hook' : 'bare-exec',
      reason,
    })
  })

  it.each([
    ['SysProvisionDBRolesRequest', 'provision'],
    ['SysPgManagerPlanRequest', 'pgmanager'],
    ['SysPgManagerApplyRequest', 'pgmanager'],
  ])('%s is known, whatever is in it', (type, kind) => {
    expect(requestOf(type, '&a [*a')).toEqual({ kind })
  })

  it('never throws, whatever it holds', () => {
    const types = fc.constantFrom(HOOK, BARE)
    const payloads = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .dictionary(
          fc.constantFrom(
            'command',
            'script',
            'env_vars',
            'template_data',
            'event_session_open',
            '__proto__',
          ),
          fc.jsonValue(),
        )
        .map((value) => JSON.stringify(value)),
    )
    fc.assert(
      fc.property(types, payloads, (type, payload) => {
        expect(requestOf(type, payload).kind).toBeTypeOf('string')
      }),
      { numRuns: 500 },
    )
  })

  it('without an id is no request: nobody could get its answer', () => {
    const message = decodeGatewayPacket({ type: BARE, spec: {}, payload: Buffer.from('{}') })
    expect(message.kind).toBe('unsupported')
  })
})

describe('the answer to a system request', () => {
  const encoded = (reply: SystemReply) => encodeAgentMessage({ kind: 'system-reply', sid, reply })

  it.each([
    [
      { kind: 'hook', exitCode: -2, output: 'a"\u0000', seconds: 3 },
      'SysRunbookHookResponseType',
      { id: 'r1', exit_code: -2, output: 'a"\u0000', execution_time_sec: 3 },
    ],
    [
      { kind: 'bare-exec', succeeded: true, output: 'x' },
      'SysBareExecResponse',
      { sid: 'r1', status: 'success', output: 'x' },
    ],
    [
      { kind: 'bare-exec', succeeded: false, output: '' },
      'SysBareExecResponse',
      { sid: 'r1', status: 'failed', output: '' },
    ],
    [
      { kind: 'provision', message: 'no' },
      'SysProvisionDBRolesResponse',
      { sid: 'r1', status: 'failed', message: 'no' },
    ],
  ] as const)('%j is JSON with the id of the request', (reply, type, body) => {
    const { type: sent, spec, payload } = encoded(reply)
    expect([sent, String(spec['gateway.session_id']), JSON.parse(String(payload))]).toEqual([
      type,
      'r1',
      body,
    ])
  })

  it('about roles is YAML in the type of a plan', () => {
    const { type, payload } = encoded({ kind: 'pgmanager', message: 'not: here' })
    expect(type).toBe('SysPgManagerPlanResponse')
    expect(parse(String(payload))).toEqual({
      sid: 'r1',
      state_migration: [],
      status: 'failed',
      message: 'not: here',
    })
  })
})

describe('log lines', () => {
  it('are a JSON array of no session, with nanoseconds, and fields only where there are any', () => {
    const time = new Date('2026-11-24T17:52:05.575Z')
    const lines: ShippedLine[] = [
      { time, level: 'info', message: 'm', fields: {} },
      { time, level: 'warn', message: 'n', fields: { sid: 's' } },
    ]
    const { type, spec, payload } = encodeAgentMessage({ kind: 'logs', lines })
    expect([type, spec]).toEqual(['ClientAgentLogs', {}])
    expect(JSON.parse(String(payload))).toEqual([
      { timestamp: '2026-11-24T17:52:05.575000000Z', level: 'info', message: 'm' },
      { timestamp: '2026-11-24T17:52:05.575000000Z', level: 'warn', message: 'n', fields: { sid: 's' } },
    ])
  })
})
