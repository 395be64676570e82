const levels = ['debug', 'info', 'warn', 'error'] as const
type Level = (typeof levels)[number]

/** The log settings of commands without settings of their own, from hoop's variables. */
export function logSettings(level: Level): { level: Level; encoding: 'json' | 'human' } {
  const { LOG_LEVEL, LOG_ENCODING, NO_COLOR } = process.env
  const terminal = process.stderr.isTTY && !NO_COLOR
  const known = levels.find((name) => name === LOG_LEVEL?.toLowerCase())
  return {
    level: known ?? level,
    encoding: LOG_ENCODING === 'json' || (!LOG_ENCODING && !terminal) ? 'json' : 'human',
  }
}
