import { describe, expect, it } from 'vitest'
import { settingsOf } from '../../support/settings.ts'
import { SettingsError } from '../../../src/basics/settings/problems.ts'
import { openMessage } from '../../../src/gateway/sessions/session-request.ts'
import type { GatewaySettings } from '../../../src/gateway/settings/settings.ts'
import type { SessionId } from '../../../src/wire/messages/message.ts'

function parse(masking: string, ofConnection = '[m]'): GatewaySettings {
  const text = `agents: [{ name: a, key: a-key-of-sixteen-characters-or-more }]
connections: [{ name: c, agent: a, command: [sh], masking: ${ofConnection} }]
masking:
${masking}`
  return settingsOf(text)
}

function problems(masking: string, ofConnection?: string): string[] {
  try {
    parse(masking, ofConnection)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.message.split('\n').map((line) => line.replace(/^\S+\/gateway\.yaml:/, ''))
  }
  return []
}

function paramsOf({ connections }: GatewaySettings) {
  const [connection] = connections
  if (connection === undefined) throw new Error('no connection')
  const { params } = openMessage('s' as SessionId, {
    ...{ connection, origin: 'client', verb: 'exec', user: 'u' },
    ...{ envVars: new Map(), clientArgs: [] },
  })
  const { dlpProvider, dlpMode, dlpPresidioAnalyzerUrl, dlpPresidioAnonymizerUrl } = params
  const rules = params.dataMaskingEntityTypesData
  return {
    told: [dlpProvider, dlpMode, dlpPresidioAnalyzerUrl, dlpPresidioAnonymizerUrl],
    rules: rules === undefined ? undefined : (JSON.parse(rules.toString()) as unknown),
  }
}

describe('masking of a connection', () => {
  it('is sent to the agent in the form of hoop, strict and by the local engine unless something else is said', () => {
    const { told, rules } = paramsOf(
      parse(
        `  - { name: m, entities: [EMAIL_ADDRESS], custom: [{ name: BADGE, regex: 'B-\\d+' }] }
  - { name: n, threshold: 0.4, custom: [{ name: CODE, deny: [falcon], score: 1 }] }`,
        '[m, n]',
      ),
    )
    expect(told).toEqual(['alcatraz', 'strict', '', ''])
    expect(rules).toEqual([
      {
        ...{ id: 'm', name: 'm', score_threshold: 0.5 },
        supported_entity_types: [{ name: 'CUSTOM-SELECTION', entity_types: ['EMAIL_ADDRESS'] }],
        custom_entity_types: [{ name: 'BADGE', regex: 'B-\\d+', deny_list: [], score: 0.9 }],
      },
      {
        ...{ id: 'n', name: 'n', score_threshold: 0.4 },
        supported_entity_types: [{ name: 'CUSTOM-SELECTION', entity_types: [] }],
        custom_entity_types: [{ name: 'CODE', regex: '', deny_list: ['falcon'], score: 1 }],
      },
    ])
  })

  it('names Presidio, its addresses and the mode', () => {
    const presidio = 'provider: presidio, analyzer: http://a:1, anonymizer: http://b:2/x, mode: best-effort'
    const { told } = paramsOf(parse(`  - { name: m, entities: [PERSON], ${presidio} }`))
    expect(told).toEqual(['mspresidio', 'best-effort', 'http://a:1', 'http://b:2/x'])
  })

  it('is refused where agents would refuse all of its types together', () => {
    const texts = (letter: string) =>
      Array.from({ length: 200 }, (_, at) => `${letter.repeat(700)}${at}`).join(', ')
    const rule = (name: string, letter: string) =>
      `  - { name: ${name}, custom: [{ name: ${name.toUpperCase()}, deny: [${texts(letter)}] }] }\n`
    const rules = rule('m', 'x') + rule('n', 'y')
    expect(problems(rules)).toEqual([])
    expect(problems(rules, '[m, n]')).toEqual([
      expect.stringMatching(/connections\[0\]\.masking: these rules together: custom type N: .* deny lists/),
    ])
  })

  it('is nothing where no rule is named', () => {
    expect(paramsOf(parse('  - { name: m, entities: [EMAIL_ADDRESS] }', '[]'))).toEqual({
      told: ['', 'best-effort', '', ''],
      rules: undefined,
    })
  })

  it.each([
    [
      'a rule that is not there',
      '  - { name: o, entities: [EMAIL_ADDRESS] }',
      '2:61 connections[0].masking[0]: unknown name; use one of these masking rules: o',
    ],
    [
      'a type for a model',
      '  - { name: m, entities: [EMAIL_ADDRESS, PERSON] }',
      '4:42 masking[0].entities[1]: only a language model finds this type: use provider: presidio',
    ],
    [
      'a type that nobody knows',
      '  - { name: m, entities: [EMAIL_ADRES] }',
      expect.stringMatching(
        /^4:27 masking\[0\]\.entities\[0\]: the local engine has no such type: did you mean EMAIL_ADDRESS\? The types are ABA_ROUTING, .*US_SSN/,
      ) as string,
    ],
    ['nothing to mask', '  - { name: m }', '4:5 masking[0]: this rule masks nothing: set entities or custom'],
    [
      'Presidio without an address',
      '  - { name: m, provider: presidio, entities: [PERSON] }',
      '4:5 masking[0]: masking by presidio needs analyzer, the address of its service',
    ],
    [
      'an address for the local engine',
      '  - { name: m, entities: [URL], analyzer: http://a }',
      '4:43 masking[0].analyzer: only provider: presidio uses this address',
    ],
    [
      'a custom type without a pattern',
      '  - { name: m, custom: [{ name: A }] }',
      '4:25 masking[0].custom[0]: regex or deny is expected',
    ],
    [
      'a threshold beyond 1',
      '  - { name: m, entities: [URL], threshold: 1.5 }',
      '4:44 masking[0].threshold: a number from 0 to 1 is expected',
    ],
  ])('is checked, with file, line and column: %s', (_, masking, problem) => {
    expect(problems(masking)).toEqual([problem])
  })

  it('is refused with an expression that RE2 does not take; Presidio may take it', () => {
    const custom = "custom: [{ name: A, regex: 'a(?!b)' }]"
    const [problem] = problems(`  - { name: m, ${custom} }`)
    expect(problem).toMatch(/^4:43 masking\[0\]\.custom\[0\]\.regex: custom type A: /)
    expect(problems(`  - { name: m, provider: presidio, analyzer: http://a, ${custom} }`)).toEqual([])
  })

  it('is refused when its rules are together longer than what is sent to the agent with a session', () => {
    const rule = (name: string, letter: string) =>
      `  - { name: ${name}, provider: presidio, analyzer: http://a, custom: [{ name: A, deny: [${words(letter)}] }] }`
    // JSON needs two characters for a quote, the file one.
    const words = (letter: string) =>
      Array<string>(240)
        .fill(letter + '"'.repeat(998))
        .join(', ')
    const rules = ['a', 'b', 'c', 'd'].map((letter) => rule(letter, letter)).join('\n')
    expect(problems(rules, '[a, b]')).toEqual([])
    expect(problems(rules, '[a, b, c, d]')).toEqual([
      '2:60 connections[0].masking: these rules are longer than 1048576 bytes in total, as JSON',
    ])
  })

  it('cannot have two providers, modes or addresses at once', () => {
    const rules = `  - { name: m, entities: [URL] }
  - { name: n, entities: [URL], mode: best-effort }`
    expect(problems(rules, '[m, n]')).toEqual([
      '2:60 connections[0].masking: all rules of a connection must have the same provider, mode, analyzer and anonymizer',
    ])
  })
})
