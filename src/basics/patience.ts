/** Aborts after so many milliseconds, or when `outer` does. */
export function patience(ms: number, outer: AbortSignal): AbortSignal {
  const late = AbortSignal.timeout(ms)
  // Without a listener of its own Node 20 collects it as garbage, and it never aborts (seen).
  late.addEventListener('abort', () => undefined)
  return AbortSignal.any([outer, late])
}
