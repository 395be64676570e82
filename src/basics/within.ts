/** Whether `work` is done in `ms`. If not, it goes on and its failure is ignored. @throws as `work` in that time */
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
