/**
 * Whether `work` is done within `ms` milliseconds. If not, it goes on, and a later failure is ignored.
 * @throws what `work` throws in that time
 */
export async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  // After a block of the event loop timers run first. Work that was done meanwhile gets its turn before it counts as
  // late.
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => setImmediate(resolve, false), Math.max(0, ms))
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
