import { describe, expect, it } from 'vitest'
import { checkPacketSize } from '../../../../src/gateway/executions/runbook-execution.ts'
import type { ScriptExecution } from '../../../../src/gateway/sessions/executions.ts'
import { encodeGatewayMessage } from '../../../../src/wire/messages/from-gateway.ts'
import type { SessionId } from '../../../../src/wire/messages/message.ts'
import { MAX_MESSAGE_BYTES } from '../../../../src/wire/packet.ts'
import { decodeParams, encodeParams } from '../../../../src/wire/params.ts'
import { openSpec } from '../../../support/scripted/open.ts'

const MiB = 1024 * 1024
type Sized = Parameters<typeof checkPacketSize>[0]

function request(parts: {
  secrets?: Map<string, string>
  envVars?: Map<string, string>
  clientArgs?: string[]
  script?: number
  words?: string[]
}): Sized {
  const {
    secrets = new Map<string, string>(),
    envVars = new Map<string, string>(),
    clientArgs = [],
    script = 0,
    words = [],
  } = parts
  return {
    connection: {
      secrets,
      guardrails: [
        {
          ...{ name: 'g', output: [] },
          input: [{ type: 'deny_words_list', words, pattern: '', message: '' }],
        },
      ],
    } as unknown as ScriptExecution['connection'],
    envVars,
    clientArgs,
    script: Buffer.alloc(script),
  }
}

describe('what goes to the agent in one packet', () => {
  it.each([
    ['a script', { script: 17 * MiB }],
    [
      'secrets and variables together',
      {
        secrets: new Map([['envvar:A', 'x'.repeat(9 * MiB)]]),
        envVars: new Map([['envvar:B', 'x'.repeat(9 * MiB)]]),
      },
    ],
    ['arguments, which travel twice', { clientArgs: ['x'.repeat(9 * MiB)] }],
    ['rules beside variables', { words: ['x'.repeat(9 * MiB)], clientArgs: ['x'.repeat(4 * MiB)] }],
  ])('is refused with 422 before it can end the stream: %s', (_, parts) => {
    expect(() => checkPacketSize(request(parts))).toThrow(expect.objectContaining({ code: 'too-large' }))
  })

  it('fits when it is accepted, whatever it is made of', () => {
    const many = new Map(Array.from({ length: 10_000 }, (_, i) => [`envvar:NAME_${i}`, 'x'.repeat(1500)]))
    const clientArgs = Array.from({ length: 10_000 }, () => 'x')
    checkPacketSize(request({ envVars: many, clientArgs }))
    const params = decodeParams(Buffer.from(openSpec('s', { clientArgs })['agent.connection_params'] ?? ''))
    const open = {
      kind: 'open',
      sid: 's' as SessionId,
      connectionType: 'x',
      requestPort: '',
      params,
      clientEnvVars: many,
    } as const
    const { spec } = encodeGatewayMessage(open)
    expect(Object.values(spec).reduce((sum, value) => sum + value.length, 0)).toBeLessThan(MAX_MESSAGE_BYTES)
    expect(encodeParams(params).length).toBeGreaterThan(0)
  })
})
