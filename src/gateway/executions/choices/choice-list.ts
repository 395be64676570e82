import { decodeUtf8 } from '../../../basics/files/small-file.ts'

export const MAX_LINES = 5000
export const MAX_BYTES = 256 * 1024

export interface Choice {
  readonly value: string
  readonly label: string
  /** Value of the other parameter for which the choice is meant; empty if the line names none. */
  readonly of: string
}

/** The output of a list cannot be used. The message says why, and contains nothing of the output. */
export class ListRefused extends Error {
  override readonly name = 'ListRefused'
}

/** With characters that show nothing, or reverse the text around them, like U+202E. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu
const COLUMNS = 3

/**
 * Reads the output of a list. Each line is a value, or a value and a label, or a value, a label and the value
 * of another parameter, separated by tabs. Lines with an empty value are left out, and lines that repeat the
 * value for the same other value.
 * @throws ListRefused
 */
export function readChoices(output: Buffer): readonly Choice[] {
  if (output.length > MAX_BYTES) throw new ListRefused(`the output has more than ${MAX_BYTES / 1024} KiB`)
  const lines = textOf(output).split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (lines.length > MAX_LINES) throw new ListRefused(`the output has more than ${MAX_LINES} lines`)
  const choices = new Map<string, Choice>()
  for (const [at, line] of lines.entries()) {
    const choice = choiceIn(line.replace(/\r$/, ''), at + 1)
    const key = JSON.stringify([choice.value, choice.of])
    if (choice.value !== '' && !choices.has(key)) choices.set(key, choice)
  }
  return [...choices.values()]
}

function textOf(output: Buffer): string {
  try {
    return decodeUtf8(output)
  } catch {
    throw new ListRefused('the output is not UTF-8')
  }
}

/** A value with a control character is refused, because nobody could see what they choose. */
function choiceIn(line: string, number: number): Choice {
  const [value = '', label = '', of = '', ...more] = line.split('\t')
  if (more.length > 0) throw new ListRefused(`line ${number} has more than ${COLUMNS} columns`)
  if (CONTROL.test(value) || CONTROL.test(of))
    throw new ListRefused(`line ${number} has a control character in a value`)
  const shown = label.replace(CONTROLS, ' ').trim()
  return { value, label: shown === '' ? value : shown, of }
}

/** Returns the choices for a value of the other parameter; if there is no other parameter, each value once. */
export function choicesFor(choices: readonly Choice[], of: string | undefined): readonly Choice[] {
  if (of !== undefined) return choices.filter((choice) => choice.of === of)
  const first = new Map<string, Choice>()
  for (const choice of choices) if (!first.has(choice.value)) first.set(choice.value, choice)
  return [...first.values()]
}

/** Bytes that the choices take in memory, at most. */
export function choiceBytes(choices: readonly Choice[]): number {
  return choices.reduce(
    (sum, { value, label, of }) => sum + 2 * (value.length + label.length + of.length) + 100,
    0,
  )
}
