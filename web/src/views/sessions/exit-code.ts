/** Returns what an exit code means. docs/endings-and-codes.md lists all codes. */
export function meaningOf(code: number): string {
  const known = MEANINGS[code]
  if (known !== undefined) return known
  if (code > 128 && code < 160) return `ended by signal ${code - 128}`
  return 'the command reports a failure with a code of its own'
}

const MEANINGS: Readonly<Partial<Record<number, string>>> = {
  [-2]: 'the agent sent no exit code, so it is unknown how the command ended',
  0: 'succeeded',
  1: 'the command reports a failure',
  2: 'the command reports a failure, often because its arguments are wrong',
  124: 'the time limit was reached',
  126: 'the program could not be executed',
  127: 'the program was not found',
  129: 'the terminal was closed',
  130: 'interrupted, as with Ctrl-C',
  137: 'killed (signal 9), for example because the memory was used up',
  139: 'crashed (signal 11) because of an invalid memory access',
  143: 'ended by request (signal 15)',
  254: 'the session was refused, stopped or lost. The last lines of the output have the reason',
}
