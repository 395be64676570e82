import type { NativeClient } from '../../../src/agent/native/protocol.ts'
import { type ConnectionRules, SessionRules } from '../../../src/agent/native/rules/session-rules.ts'
import { CompiledCache } from '../../../src/policy/compiled-cache.ts'
import type { ConnectionParams } from '../../../src/wire/params.ts'

/** Rules that forbid words, each in a rule of its own that says so. */
export function guardrails(words: {
  readonly input?: readonly string[]
  readonly output?: readonly string[]
}): Pick<ConnectionParams, 'guardRailRules'> {
  const sets = (all: readonly string[] = []) => [
    { rules: all.map((word) => ({ type: 'deny_words_list', words: [word], message: `no ${word}` })) },
  ]
  const rules = { input_rules: sets(words.input), output_rules: sets(words.output) }
  return { guardRailRules: Buffer.from(JSON.stringify(rules)) }
}

interface Masked {
  readonly types: readonly string[]
  readonly threshold?: number
  readonly custom?: readonly object[]
}

/** Masking by the local engine, in strict mode. */
export function masking({ types, threshold = 0.5, custom = [] }: Masked): Partial<ConnectionParams> {
  const rule = {
    score_threshold: threshold,
    supported_entity_types: [{ entity_types: types }],
    custom_entity_types: custom,
  }
  const dataMaskingEntityTypesData = Buffer.from(JSON.stringify([rule]))
  return { dlpProvider: 'alcatraz', dlpMode: 'strict', dataMaskingEntityTypesData }
}

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** The rules of a connection, for streams without an agent. */
export async function rulesOf(
  asked: Partial<ConnectionParams>,
  ended = new AbortController().signal,
): Promise<ConnectionRules> {
  const params = { dlpProvider: '', dlpInfoTypes: [], clientVerb: 'connect', connectionName: 'pg', ...asked }
  const local = { replacement: { form: 'tag' }, refine: [] } as const
  const services = {
    compiledGuardrails: new CompiledCache(),
    masking: { presidio: undefined, local, compiled: new CompiledCache() },
    log: silent,
  }
  const rules = await SessionRules.of({ sid: 's', params } as never, services as never)
  if (rules === undefined) throw new Error('no rules')
  return rules.ofConnection('1', ended)
}

/** A client that keeps what it is sent. */
export function client(): NativeClient & { readonly got: () => Buffer } {
  const sent: Buffer[] = []
  const signal = new AbortController().signal
  return {
    ...{ id: '1', gone: signal, ending: signal, isSilent: false, isOurs: true },
    next: () => Promise.resolve(undefined),
    deliver: () => Promise.resolve(),
    send: (bytes) => Promise.resolve(void sent.push(Buffer.from(bytes))),
    got: () => Buffer.concat(sent),
  }
}
