import type { Command, Option } from 'commander'

/** The position of the cursor among this program's commands and flags. */
export type WordPosition =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'flag'; readonly command: Command }
  | {
      readonly kind: 'value'
      readonly command: Command
      readonly option: Option
      readonly operands: readonly string[]
    }
  | { readonly kind: 'operand'; readonly command: Command; readonly operands: readonly string[] }
  /** After `--`. */
  | { readonly kind: 'unknown' }

/**
 * @param words between the program's name and the cursor
 * @param current the typed part of the word at the cursor
 */
export function positionOf(root: Command, words: readonly string[], current: string): WordPosition {
  let command = root
  const operands: string[] = []
  let option: Option | undefined
  for (const word of words) {
    if (option !== undefined) {
      option = undefined
    } else if (word === '--') {
      return { kind: 'unknown' }
    } else if (word.startsWith('-') && word !== '-') {
      option = valueWanted(command, word)
    } else {
      const next = operands.length === 0 ? subcommand(command, word) : undefined
      if (next === undefined) operands.push(word)
      else command = next
    }
  }
  if (option !== undefined) return { kind: 'value', command, option, operands }
  if (current.startsWith('-')) return { kind: 'flag', command }
  if (command.commands.length > 0 && operands.length === 0) return { kind: 'command', command }
  return { kind: 'operand', command, operands }
}

function subcommand(command: Command, word: string): Command | undefined {
  return command.commands.find((one) => one.name() === word)
}

/** The flag whose value is the next word; `--flag=value` has its value. */
function valueWanted(command: Command, word: string): Option | undefined {
  const option = command.options.find(({ short, long }) => short === word || long === word)
  return option !== undefined && (option.required || option.optional) ? option : undefined
}
