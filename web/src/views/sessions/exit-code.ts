/** Returns the meaning of an exit code in words (docs/endings-and-codes.md has all codes). */
export function meaningOf(code: number): string {
  const known = MEANINGS[code]
  if (known !== undefined) return known
  if (code > 128 && code < 160) return `ended by signal ${code - 128}`
  return 'the command reports a failure of its own'
}

const MEANINGS: Readonly<Partial<Record<number, string>>> = {
  [-2]: 'it is unknown how the command ended: the agent sent no exit code',
  0: 'succeeded',
  1: 'the command reports a failure',
  2: 'the command reports a failure, often wrong use',
  124: 'the time limit was reached',
  126: 'the program could not be executed',
  127: 'the program was not found',
  129: 'the terminal was closed',
  130: 'interrupted, as with Ctrl-C',
  137: 'killed (signal 9): by force, or out of memory',
  139: 'crashed (signal 11): the program touched memory that is not its own',
  143: 'ended by request (signal 15)',
  254: 'the session was refused, stopped or lost: the last lines of the output say why',
}
