import type { ForeseenScriptAnswer } from '../../contract/foreseen-script.ts'
import { CompiledCache } from '../../policy/compiled-cache.ts'
import { compileRules, type CompiledRules } from '../../policy/guardrails/compile-rules.ts'
import { decodeGuardrails } from '../../policy/guardrails/payload.ts'
import type { Rule } from '../../policy/guardrails/rules.ts'
import { decodeMasking } from '../../policy/masking/rules.ts'
import type { Agents } from '../agents/agents.ts'
import type { GatewayUser } from '../identity.ts'
import { refused } from '../refusals/request-refused.ts'
import { reviewRule } from '../reviews/rules.ts'
import { guardRailRules, withNames } from '../sessions/guardrails.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import { requestBefore, type DecidersOf } from './foresight.ts'
import { reasonSetting } from './reason.ts'
import { schemaRefusal } from './database-schema.ts'

type RefusedScript = NonNullable<ForeseenScriptAnswer['refused']>

/** Tells what would happen to a script now, without running it. @throws RequestRefused */
export function foreseenScript(
  { agents, decidersOf }: { readonly agents: Pick<Agents, 'isOnline'>; readonly decidersOf: DecidersOf },
  user: GatewayUser,
  connection: ConnectionSettings,
): Omit<ForeseenScriptAnswer, 'refused'> {
  if (!connection.access.exec) throw refused('not-permitted/use', { use: 'exec' })
  const request = requestBefore(user, connection, 'client-api')
  const rule = reviewRule(request, user.groups)
  return {
    connection: connection.name,
    agent: connection.agent,
    agent_online: agents.isOnline(connection.agent),
    review:
      rule === undefined
        ? null
        : {
            groups: [...rule.review.groups],
            minimum: rule.review.minimum,
            force_groups: [...rule.review.forceGroups],
            self_approval: rule.review.selfApproval,
            ...decidersOf(request, rule),
          },
    masked: maskedTypes(connection),
    guardrails: connection.guardrails.map(({ name, input, output }) => ({
      name,
      input: input.length,
      output: output.length,
    })),
    confirm: connection.confirm === true,
    reason: reasonSetting(connection) ?? null,
    schema: schemaRefusal(user, connection) === '',
  }
}

function maskedTypes({ masking }: ConnectionSettings): string[] {
  const { entities = [], custom = [] } = decodeMasking(masking?.dataMaskingEntityTypesData) ?? {}
  return [...new Set([...entities, ...custom.map(({ name }) => name)])]
}

/** Judges scripts by the rules of their connection, with the code by which the agent judges them. */
export class ScriptRules {
  readonly #cache = new CompiledCache<CompiledRules>()

  /** Returns the rule for which the agent would refuse the script. Runs for a long time if the script is long. */
  async refusal({ guardrails }: ConnectionSettings, script: Buffer): Promise<RefusedScript | null> {
    const payload = guardRailRules(guardrails)
    if (payload === undefined || guardrails.every(({ input }) => input.length === 0)) return null
    const rules = await this.#cache.get(payload, () => compileRules(decodeGuardrails(payload).input))
    const verdict = await rules.check(script)
    if (verdict.outcome === 'pass') return null
    if (verdict.outcome === 'error') return { rule: '', message: verdict.closing, matched: [], line: null }
    const { hit, matched } = verdict
    const end = await rules.findEnd(verdict, script)
    return {
      rule: nameOf(hit, guardrails),
      message: hit.message,
      matched: [...matched],
      line: end === undefined ? null : lineBefore(script, end),
    }
  }
}

function nameOf(
  { type, words, pattern, message }: Rule,
  guardrails: ConnectionSettings['guardrails'],
): string {
  const info = { ruleName: '', type, words, pattern, direction: 'input', matchedWords: [], message } as const
  return withNames([info], guardrails)[0]?.ruleName ?? ''
}

const NEWLINE = 0x0a

/** Returns the line of the last byte before the offset. If this byte ends a line, that line counts. */
function lineBefore(script: Buffer, end: number): number {
  let line = 1
  for (let at = script.indexOf(NEWLINE); at >= 0 && at < end - 1; at = script.indexOf(NEWLINE, at + 1))
    line += 1
  return line
}
