/** Exit codes of `policy check` and `policy mask`. */
export const ANSWERS = {
  passes: 0,
  stopped: 1,
  /** The rules or the text cannot be read, a rule cannot be enforced, or the arguments are wrong. */
  none: 2,
} as const
