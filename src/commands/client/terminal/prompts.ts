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
  // This is switched off, because Ctrl-T would show the text.
  const question = { message, mask: true, toggleMask: false, validate, theme: theme() }
  return answered((context) => password(question, context))
}

/** @param proposed the answer if the user enters an empty line @throws Failure if the user cancels */
export async function askText(
  message: string,
  proposed: string | undefined,
  validate: Check,
): Promise<string> {
  const { default: input } = await import('@inquirer/input')
  const question = { message, default: proposed, validate, theme: theme() }
  return answered((context) => input(question, context))
}

/** @param proposed the choice that is selected at first @throws Failure if the user cancels */
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
 * Turns Ctrl-C, Ctrl-D and signals into Failures. Without this, the library would let a signal end the
 * process while the terminal is in raw mode.
 */
async function answered<T>(
  ask: (
    context: { input: NodeJS.ReadableStream; output: NodeJS.WritableStream } & { signal: AbortSignal },
  ) => Promise<T>,
): Promise<T> {
  const giveUp = new AbortController()
  using leaving = new Leaving({ end: () => giveUp.abort(), overdue: endBySignal })
  try {
    // Questions go to stderr, because stdout may be a file.
    return await ask({ input: process.stdin, output: process.stderr, signal: giveUp.signal })
  } catch (error) {
    const { name } = error as Error
    if (name === 'ExitPromptError' || name === 'AbortPromptError')
      throw new Failure('cancelled: nothing was sent', leaving.exitCode ?? exitCodes.interrupted)
    throw error
  }
}

/** Returns a theme without colours for NO_COLOR, because the library ignores it (styleText of Node 20). */
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
