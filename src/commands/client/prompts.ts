import { exitCodes, Failure } from '../failure.ts'

/** Questions to a person go to stderr: stdout may be a file. */
const streams = { input: process.stdin, output: process.stderr }

/** `true`, or what is wrong with an answer. */
export type Check = (text: string) => true | string

/** Whether there is a person to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/** A text that is not shown while it is typed. @throws Failure when the person gives up */
export async function askUnseen(message: string, validate: Check = () => true): Promise<string> {
  const { default: password } = await import('@inquirer/password')
  // Without toggleMask Ctrl-T would show it.
  return answered(password({ message, mask: true, toggleMask: false, validate, theme: theme() }, streams))
}

/** One line. @param proposed is taken when nothing is typed. @throws Failure when the person gives up */
export async function askText(
  message: string,
  proposed: string | undefined,
  validate: Check,
): Promise<string> {
  const { default: input } = await import('@inquirer/input')
  return answered(input({ message, default: proposed, validate, theme: theme() }, streams))
}

/** One of some texts. @param proposed is the one that Enter takes. @throws Failure when the person gives up */
export async function askChoice(
  message: string,
  choices: readonly { readonly name: string; readonly value: string }[],
  proposed: string | undefined,
): Promise<string> {
  const { default: select } = await import('@inquirer/select')
  return answered(
    select(
      { message, choices, ...(proposed !== undefined && { default: proposed }), theme: theme() },
      streams,
    ),
  )
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

/** Node 20's styleText, by which the prompts are painted, does not know NO_COLOR. */
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
