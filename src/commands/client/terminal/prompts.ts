import { isatty } from 'node:tty'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { endBySignal, Leaving } from './leaving.ts'

/** Returns `true`, or what is wrong with the answer. */
type Check = (text: string) => true | string

export function canAsk(): boolean {
  return isatty(0) && isatty(2)
}

/** Hides the typed characters. @throws Failure if the user cancels */
export async function askUnseen(message: string, validate: Check = () => true): Promise<string> {
  const { default: password } = await import('@inquirer/password')
  // By default, Ctrl-T would show the text.
  const question = { message, mask: true, toggleMask: false, validate, theme: theme() }
  return answered((context) => password(question, context))
}

/** @param proposed the answer for an empty line @throws Failure if the user cancels */
export async function askText(
  message: string,
  proposed: string | undefined,
  validate: Check,
): Promise<string> {
  const { default: input } = await import('@inquirer/input')
  const question = { message, default: proposed, validate, theme: theme() }
  return answered((context) => input(question, context))
}

/** @param proposed selected at first @throws Failure if the user cancels */
export async function askChoice(
  message: string,
  choices: readonly { readonly name: string; readonly value: string }[],
  proposed: string | undefined,
): Promise<string> {
  const { default: select } = await import('@inquirer/select')
  const question = { message, choices, ...(proposed !== undefined && { default: proposed }), theme: theme() }
  return answered((context) => select(question, context))
}

/**
 * Turns Ctrl-C, Ctrl-D and signals into Failures. The library would let a signal end the process in raw mode.
 */
async function answered<T>(
  ask: (
    context: { input: NodeJS.ReadableStream; output: NodeJS.WritableStream } & { signal: AbortSignal },
  ) => Promise<T>,
): Promise<T> {
  const giveUp = new AbortController()
  using leaving = new Leaving({ end: () => giveUp.abort(), overdue: endBySignal })
  try {
    // stdout may be a file.
    return await ask({ input: process.stdin, output: process.stderr, signal: giveUp.signal })
  } catch (error) {
    const { name } = error as Error
    if (name === 'ExitPromptError' || name === 'AbortPromptError')
      throw new Failure('cancelled: nothing was sent', leaving.exitCode ?? exitCodes.interrupted)
    throw error
  }
}

/** The library (styleText of Node 20) ignores NO_COLOR. */
function theme(): object {
  const asIs = (text: string) => text
  const names = ['answer', 'message', 'help', 'highlight', 'disabled', 'description'] as const
  const plain = {
    prefix: { idle: '?', done: '?' },
    spinner: { frames: ['.'] },
    style: {
      ...Object.fromEntries(names.map((name) => [name, asIs])),
      error: (text: string) => `> ${text}`,
      defaultAnswer: (text: string) => `(${text})`,
      key: (text: string) => `<${text}>`,
      keysHelpTip: (keys: readonly [string, string][]) =>
        keys.map(([key, action]) => `${key} ${action}`).join(', '),
    },
  }
  return process.env['NO_COLOR'] ? plain : {}
}
