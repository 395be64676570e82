import { constants } from 'node:os'
import { exitCodes } from '../../failure.ts'

/** This program's exit code for an execution's. A process has only eight bits for it, and 256 would be a success. */
export function exitCodeOfExecution(code: number | undefined): number {
  return code !== undefined && code >= 0 && code <= 255 ? code : exitCodes.noExitCode
}

/** As shells do: 130 for SIGINT. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}
