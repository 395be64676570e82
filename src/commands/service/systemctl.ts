import { execFile } from 'node:child_process'
import { exitCodes, Failure } from '../failure.ts'
import type { Request } from './request.ts'

/** A start waits for the agent's READY, a stop until it has drained. */
const LONGEST_MS = 5 * 60 * 1000

export function systemctlLine({ forUser }: Request, ...args: readonly string[]): string {
  return ['systemctl', ...(forUser ? ['--user'] : []), ...args].join(' ')
}

/**
 * Runs the steps one by one, and reports them.
 * @throws Failure at the first one that fails, with everything that remains to be done; with --force it goes on instead
 */
export async function systemctl(request: Request, ...steps: readonly (readonly string[])[]): Promise<void> {
  const lines = steps.map((step) => systemctlLine(request, ...step))
  for (const [index, line] of lines.entries()) {
    const failure = await failureOf(line)
    if (failure === undefined) request.line(`ran    ${line}`)
    else if (request.force) request.line(`failed ${line}: ${failure}`)
    else {
      const rest = lines.slice(index).join('; ')
      throw new Failure(`${line}: ${failure}. What remains to be done: ${rest}`, exitCodes.unreachable)
    }
  }
}

/** Runs a program found in PATH. @returns why it failed, or undefined */
export async function failureOf(line: string): Promise<string | undefined> {
  const [program = '', ...args] = line.split(' ')
  return new Promise((resolve) => {
    execFile(program, args, { timeout: LONGEST_MS }, (error, _stdout, stderr) => {
      if (error === null) return resolve(undefined)
      // The first line says what is wrong, the others where to look.
      const [words = ''] = stderr.trim().split('\n')
      resolve(error.code === 'ENOENT' ? `there is no ${program}` : words || error.message)
    })
  })
}
