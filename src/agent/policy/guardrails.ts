import { compileRules } from '../../policy/guardrails/compile-rules.ts'
import type { CompiledRules } from '../../policy/guardrails/compiled-rules.ts'
import { GuardedStream, GuardrailViolation } from '../../policy/guardrails/guarded-stream.ts'
import { decodeGuardrails } from '../../policy/guardrails/payload.ts'
import {
  GuardrailError,
  type Guardrails,
  type RuleSet,
  type Unjudged,
} from '../../policy/guardrails/rules.ts'
import type { OutputFilter, OutputStopped } from '../../policy/output-filter.ts'
import type { ConnectionParams } from '../../wire/params.ts'
import { RefusedError } from '../refused.ts'
import { blockedBy, type Blocked } from './blocked.ts'

const NO_TERMINAL =
  'this connection has guardrail rules for its input, and what is typed on a terminal takes effect before it can be judged: run a script with exec, or a runbook'
const NO_GCP = 'guardrails together with the GCP DLP provider: guardrails require MSPresidio'
const SPACE = Buffer.from(' ')

/** What the session's parameters say of guardrails. */
type Asking = Pick<ConnectionParams, 'guardRailRules' | 'dlpProvider' | 'clientVerb'>

/** The guardrail rules of one session: those of its connection. */
export class SessionGuardrails {
  readonly #input: CompiledRules
  readonly #output: CompiledRules

  private constructor(input: CompiledRules, output: CompiledRules) {
    this.#input = input
    this.#output = output
  }

  /** Undefined when there are none. @throws RefusedError when they cannot be enforced on this session */
  static async of(asking: Asking): Promise<SessionGuardrails | undefined> {
    const { input, output } = decoded(asking.guardRailRules)
    if (!hasRules(input) && !hasRules(output)) return undefined
    if (asking.dlpProvider === 'gcp') throw new RefusedError(NO_GCP)
    if (asking.clientVerb === 'connect' && hasRules(input)) throw new RefusedError(NO_TERMINAL)
    const compiled = await compileRules(output)
    if (compiled.broken !== undefined) throw unenforceable(compiled.broken)
    return new SessionGuardrails(await compileRules(input), compiled)
  }

  /**
   * Judges what is about to run: the script, each of the client's arguments, and those together as one line.
   * @param args as the program gets them
   * @returns the rule that is broken
   * @throws RefusedError when a rule cannot be enforced
   */
  async judge(script: Buffer, args: readonly Buffer[]): Promise<Blocked | undefined> {
    for (const text of [script, ...args, ...together(args)]) {
      const verdict = await this.#input.check(text)
      if (verdict.outcome === 'violation') return blockedBy(verdict, 'input')
      if (verdict.outcome === 'error') throw unenforceable(verdict)
    }
    return undefined
  }

  /** What looks through the output: nothing when there are no rules for it. */
  filters(isInteractive: boolean): (() => OutputFilter)[] {
    return this.#output.isEmpty ? [] : [() => new GuardedStream(this.#output, { isInteractive })]
  }
}

/** The rule that has stopped an output; undefined when something else has. */
export function blockedOutput(cause: OutputStopped | undefined): Blocked | undefined {
  const verdict = cause instanceof GuardrailViolation ? cause.verdict : undefined
  return verdict?.outcome === 'violation' ? blockedBy(verdict, 'output') : undefined
}

/** @throws RefusedError for rules that cannot be read */
function decoded(payload: Buffer | undefined): Guardrails {
  try {
    return decodeGuardrails(payload)
  } catch (error) {
    if (!(error instanceof GuardrailError)) throw error
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
