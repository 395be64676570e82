import path from 'node:path'
import type { CompiledCache } from '../../policy/compiled-cache.ts'
import type { CompiledRules } from '../../policy/guardrails/compile-rules.ts'
import { GuardedStream, GuardrailViolation } from '../../policy/guardrails/guarded-stream.ts'
import { decodeGuardrails } from '../../policy/guardrails/payload.ts'
import {
  type Guardrails,
  type RuleSet,
  type Unjudged,
  type Violation,
} from '../../policy/guardrails/rules.ts'
import type { OutputFilter, OutputStopped } from '../../policy/output-filter.ts'
import { PolicyError } from '../../policy/policy-error.ts'
import type { GuardrailInfo } from '../../wire/messages/guardrails-info.ts'
import type { ConnectionParams } from '../../wire/params.ts'
import { RefusedError } from '../refused.ts'
import type { OwnerRules } from './owner-policy.ts'

/** A rule that a session has broken. It contains nothing from the script or the output. */
export interface Blocked {
  /** The rule's place, for journal, metrics and log: `input_rules[0].rules[1] deny_words_list`. */
  readonly rule: string
  readonly info: GuardrailInfo
}

/** hoop uses the same words. People and programs recognise this beginning. */
const BLOCKED_BY = 'Blocked by the following Hoop Guardrails Rules: '

function blockedBy(violation: Violation, direction: GuardrailInfo['direction']): Blocked {
  const { set, rule, hit, matched } = violation
  const { type, words, pattern, message, source } = hit
  if (source !== undefined) return blockedByOwner({ type, message, source }, direction)
  return {
    rule: `${direction}_rules[${set}].rules[${rule}] ${type}`,
    // Words and patterns of the rule itself, in the form of the reference (protocol.md 8.1).
    info: { ruleName: '', type, words, pattern, direction, matchedWords: matched, message },
  }
}

/** The gateway's users see the message of the owner's rule, but not its words. */
function blockedByOwner(
  { type, message, source }: { readonly type: string; readonly message: string; readonly source: string },
  direction: GuardrailInfo['direction'],
): Blocked {
  const ruleName = `owner of the server, ${path.basename(source)}`
  return {
    rule: `owner of the server, ${source} ${type}`,
    info: { ruleName, type, words: [], pattern: '', direction, matchedWords: [], message },
  }
}

/** The line for the user. hoop's agent shows the rule's name, which may be unknown here. */
export function blockedLine({ rule, info: { ruleName, message } }: Blocked): string {
  const named = [ruleName, message].filter((text) => text !== '').join(': ')
  return `${BLOCKED_BY}${named === '' ? rule : named}\n`
}

const NO_TERMINAL =
  "terminals are not allowed: this connection's guardrail rules cannot check typed input before it takes effect; use exec or a runbook"
const NO_TERMINAL_FOR_OWNER =
  "terminals are not allowed: the agent's guardrail rules (policy.input-rules) cannot check typed input before it takes effect; use exec or a runbook"
const NO_GCP = 'guardrails together with the GCP DLP provider: guardrails require MSPresidio'
const SPACE = Buffer.from(' ')
const NO_RULES = Buffer.alloc(0)

type Asking = Pick<ConnectionParams, 'guardRailRules' | 'dlpProvider' | 'clientVerb'>

export interface CompiledGuardrails {
  readonly input: CompiledRules
  readonly output: CompiledRules
  readonly bytes: number
}

/** The rules for one session or system request: those of its connection, then those of the server's owner. */
export class SessionGuardrails {
  readonly #input: CompiledRules | undefined
  readonly #ownersInput: CompiledRules | undefined
  readonly #output: CompiledRules | undefined

  private constructor(
    input: CompiledRules | undefined,
    ownersInput: CompiledRules | undefined,
    output: CompiledRules | undefined,
  ) {
    this.#input = input
    this.#ownersInput = ownersInput
    this.#output = output
  }

  /**
   * Returns undefined without rules.
   * @param cache keeps compiled rules for later sessions
   * @throws RefusedError if the rules cannot be enforced on this session
   */
  static async of(
    asking: Asking,
    owner: OwnerRules | undefined,
    cache: CompiledCache<CompiledGuardrails>,
  ): Promise<SessionGuardrails | undefined> {
    const { guardRailRules: payload = NO_RULES, clientVerb } = asking
    const rules = readRules(payload)
    const isTerminal = clientVerb === 'connect'
    if (isTerminal && owner?.input !== undefined) throw new RefusedError(NO_TERMINAL_FOR_OWNER)
    if (!hasRules(rules.input) && !hasRules(rules.output)) return SessionGuardrails.ofOwner(owner)
    if (asking.dlpProvider === 'gcp') throw new RefusedError(NO_GCP)
    if (isTerminal && hasRules(rules.input)) throw new RefusedError(NO_TERMINAL)
    // Compiled rules that include the owner's rules are not cached, because the owner's rules may change
    // before the next session.
    const compiled =
      owner?.output === undefined
        ? await cache.get(payload, () => compileGuardrails(rules))
        : await compileGuardrails(withOwners(rules, owner))
    return new SessionGuardrails(compiled.input, owner?.input, compiled.output)
  }

  static ofOwner(owner: OwnerRules | undefined): SessionGuardrails | undefined {
    if (owner?.input === undefined && owner?.output === undefined) return undefined
    return new SessionGuardrails(undefined, owner.input, owner.output)
  }

  get judgesInput(): boolean {
    return [this.#input, this.#ownersInput].some((rules) => rules?.isEmpty === false)
  }

  /**
   * Judges the script, each argument, and all arguments as one line. The connection's rules apply to the
   * client's arguments, the owner's rules to the whole command.
   * @param argv as the program receives it
   * @param clientArguments number of arguments from the client; they are the last ones
   * @param ended aborts when the command must no longer run
   * @returns the broken rule
   * @throws RefusedError if a rule cannot be enforced, or the signal's reason
   */
  async judge(
    script: Buffer,
    argv: readonly Buffer[],
    clientArguments: number,
    ended: AbortSignal,
  ): Promise<Blocked | undefined> {
    const clients = argv.slice(argv.length - clientArguments)
    return (
      (await brokenBy([script, ...clients, ...together(clients)], this.#input, ended)) ??
      (await brokenBy([script, ...argv, ...together(argv)], this.#ownersInput, ended))
    )
  }

  /** @param ended aborts when nobody waits for the output */
  filters(isInteractive: boolean, ended: AbortSignal): (() => OutputFilter)[] {
    const rules = this.#output
    return rules === undefined || rules.isEmpty
      ? []
      : [() => new GuardedStream(rules, { isInteractive, ended })]
  }
}

/** @throws RefusedError if a rule cannot be enforced, or the signal's reason */
async function brokenBy(
  texts: readonly Buffer[],
  rules: CompiledRules | undefined,
  ended: AbortSignal,
): Promise<Blocked | undefined> {
  if (rules === undefined || rules.isEmpty) return undefined
  for (const text of texts) {
    const verdict = await rules.check(text, ended)
    if (verdict.outcome === 'violation') return blockedBy(verdict, 'input')
    if (verdict.outcome === 'error') throw unenforceable(verdict)
  }
  return undefined
}

/** Returns undefined if something other than a rule stopped the output. */
export function blockedOutput(cause: OutputStopped | undefined): Blocked | undefined {
  const verdict = cause instanceof GuardrailViolation ? cause.verdict : undefined
  return verdict?.outcome === 'violation' ? blockedBy(verdict, 'output') : undefined
}

/** Loads the compiler only here: most sessions have no rules. @throws RefusedError */
async function compileGuardrails(rules: Guardrails): Promise<CompiledGuardrails> {
  const { compileRules } = await import('../../policy/guardrails/compile-rules.ts')
  const output = await compileRules(rules.output)
  if (output.broken !== undefined) throw unenforceable(output.broken)
  const input = await compileRules(rules.input)
  return {
    input,
    output,
    get bytes() {
      return input.bytes + output.bytes
    },
  }
}

/**
 * Joins both sets, so that one automaton searches for them: the first match in the output counts, no matter
 * whose rule matches.
 */
function withOwners({ input, output }: Guardrails, { outputSets }: OwnerRules): Guardrails {
  return { input, output: [...output, ...outputSets] }
}

/** @throws RefusedError for rules that cannot be read */
export function readRules(payload: Buffer): Guardrails {
  try {
    return decodeGuardrails(payload)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new RefusedError(error.message)
  }
}

function hasRules(sets: readonly RuleSet[]): boolean {
  return sets.some(({ rules }) => rules.length > 0)
}

function unenforceable({ closing }: Unjudged): RefusedError {
  return new RefusedError(closing)
}

function together(args: readonly Buffer[]): Buffer[] {
  return args.length < 2 ? [] : [Buffer.concat(args.flatMap((argument) => [SPACE, argument]).slice(1))]
}
