import { setTimeout as delay } from 'node:timers/promises'
import type { ByteOutput } from '../terminal/byte-output.ts'
import { exitCodeOfSignal } from '../../failure.ts'
import { ScreenReset } from '../terminal/screen-reset.ts'
import type { Frame } from './cast.ts'

export interface Pace {
  /** 1 is the original speed, 2 is twice as fast. */
  readonly speed: number
  /** Longer pauses are shortened to this, before the speed is applied. */
  readonly longestPauseMs: number
}

/** Plays a session on this terminal at its own pace. @returns the exit code of this program */
export async function play(frames: readonly Frame[], stdout: ByteOutput, pace: Pace): Promise<number> {
  const stop = new AbortController()
  const reset = new ScreenReset()
  const show = (content: Buffer) => {
    reset.see(content)
    return stdout.write(content)
  }
  let exitCode = 0
  const leave = (signal: 'SIGINT' | 'SIGTERM') => {
    exitCode = exitCodeOfSignal(signal)
    stop.abort()
  }
  process.on('SIGINT', leave).on('SIGTERM', leave)
  try {
    await playFrames(frames, show, pace, stop.signal)
  } finally {
    process.off('SIGINT', leave).off('SIGTERM', leave)
    await stdout.write(Buffer.from(`${reset.sequence}${stdout.isInLine ? '\r\n' : ''}`))
  }
  return exitCode
}

async function playFrames(
  frames: readonly Frame[],
  show: (content: Buffer) => Promise<void>,
  { speed, longestPauseMs }: Pace,
  signal: AbortSignal,
): Promise<void> {
  let now = 0
  for (const { seconds, kind, content } of frames) {
    const pause = Math.min(Math.max(0, seconds - now) * 1000, longestPauseMs) / speed
    now = Math.max(now, seconds)
    if (pause >= 1) await delay(pause, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    if (kind === 'output') await show(content)
  }
}
