import type { ExecFlags } from '../stream/exec.ts'
import { readScript } from '../stream/script-input.ts'
import { readVariables } from '../input/pairs.ts'
import { localConnection } from './connection.ts'
import { executeHere } from './execution.ts'

export interface ExecLocalFlags extends ExecFlags {
  /** A gateway's settings, with the connection. */
  readonly config?: string
}

/** `exec --local`: without a gateway, in this process. @returns the exit code of this program @throws Failure */
export async function execLocalCommand(
  name: string,
  words: readonly string[],
  flags: ExecLocalFlags,
): Promise<number> {
  const local = localConnection(name, words, flags.config)
  const envVars = readVariables(flags.env ?? [])
  return executeHere({ ...local, envVars, script: await readScript(flags, words) }, flags)
}
