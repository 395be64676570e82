import { NO_EXIT_CODE } from '../basics/exit-code.ts'
import { constants } from 'node:os'

/** Most codes come from sysexits.h. */
export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 64,
  /** `runbooks lint`, `audit verify` or `migrate hoop` has found a problem. */
  findings: 65,
  unreachable: 69,
  /** `run --on`: some runs of the batch did not run or failed. */
  batchFailed: 70,
  inputOutput: 74,
  refused: 77,
  configuration: 78,
  /** The value is 128 + SIGINT. */
  interrupted: 130,
  /** `run`, `exec`, `connect`: the execution has no exit code. */
  noExitCode: NO_EXIT_CODE,
} as const

/** An error that the user can solve. main.ts prints the message without a stack, and exits with the code. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: number

  constructor(message: string, exitCode: number = exitCodes.configuration) {
    super(message)
    this.exitCode = exitCode
  }
}

/** @param what a use that needs code of the gateway */
export function inGatewayProduct(what: string): Failure {
  return new Failure(
    `${what} needs the product runbook-gateway. This is the product runbook-agent, which has no code of the gateway`,
    exitCodes.usage,
  )
}

/** Adds to an error what failed and what to do next. */
export function explain(error: unknown, doing: string, advice: string, exitCode?: number): Failure {
  const { code, message } = error as NodeJS.ErrnoException
  return new Failure(`${doing}: ${code ?? message}. ${advice}`, exitCode)
}

/** Returns `noExitCode` for a code that does not fit into eight bits: 256 would become 0, a success. */
export function exitCodeOfExecution(code: number | undefined): number {
  return code !== undefined && code >= 0 && code <= 255 ? code : exitCodes.noExitCode
}

/** Returns the exit code that shells use, for example 130 for SIGINT. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}
