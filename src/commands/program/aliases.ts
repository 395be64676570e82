/** Other words for commands. Help and completion do not show them. */
const ALIASES: Readonly<Record<string, string>> = {
  ...{ session: 'sessions', batch: 'batches', review: 'reviews' },
  ...{ runbook: 'runbooks', connection: 'connections', agent: 'agents' },
  ...{ schedule: 'schedules', webhook: 'webhooks', tokens: 'token', users: 'user' },
}

/**
 * Replaces an alias of a command by its name, also after `help`.
 * @param words the words after the program's name
 */
export function withoutAliases(words: readonly string[]): string[] {
  const at = words[0] === 'help' ? 1 : 0
  return words.map((word, index) =>
    index === at && Object.hasOwn(ALIASES, word) ? (ALIASES[word] ?? word) : word,
  )
}
