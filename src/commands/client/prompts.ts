import { exitCodes, Failure } from '../failure.ts'

/** Questions to a person go to stderr: stdout may be a file. */
const streams = { input: process.stdin, output: process.stderr }

/** Whether there is a person to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/** A text that is not shown while it is typed. @throws Failure when the person gives up */
export async function askUnseen(
  message: string,
  validate?: (text: string) => true | string,
): Promise<string> {
  const { default: password } = await import('@inquirer/password')
  return answered(password({ message, mask: true, ...(validate !== undefined && { validate }) }, streams))
}

/** Ctrl-C and Ctrl-D reject with errors that are not of this program; nothing has been sent yet. */
async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const { name } = error as Error
    if (name === 'ExitPromptError' || name === 'AbortPromptError')
      throw new Failure('given up: nothing was sent', exitCodes.interrupted)
    throw error
  }
}
