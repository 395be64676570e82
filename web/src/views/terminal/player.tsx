import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { durationText } from '../../parts/moment.tsx'
import { Drawing } from './drawing.ts'
import { happenedBy, readRecording, type Recording } from './recording.ts'
import { openScreen } from './screen.ts'

const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const
/** Step of an arrow key in seconds. */
const STEP_S = 5

export function Player({ id }: { readonly id: string }) {
  const load = useCallback((signal: AbortSignal) => readRecording(id, signal), [id])
  const { value, error, reload } = useLoaded(load)
  if (error !== undefined) return <Problem error={error} onRetry={reload} />
  if (value === undefined) return <Loading />
  if (value.happenings.length === 0) return <Empty>The terminal has written nothing.</Empty>
  return <Playing recording={value} />
}

function Playing({ recording }: { readonly recording: Recording }) {
  const place = useRef<HTMLDivElement>(null)
  const playback = usePlayback(recording)
  const { time, seek, isPlaying, setPlaying } = playback
  useDrawing(place, recording, time)
  const isOver = time >= recording.length
  const play = () => {
    if (isOver) seek(0)
    setPlaying(!isPlaying || isOver)
  }
  return (
    <section aria-label="Replay">
      <div class="line">
        <button onClick={play}>{isPlaying && !isOver ? 'Pause' : 'Play'}</button>
        <Controls playback={playback} length={recording.length} />
      </div>
      <div class="terminal" ref={place} role="group" aria-label="Recorded terminal" />
    </section>
  )
}

interface ControlsProps {
  readonly playback: ReturnType<typeof usePlayback>
  readonly length: number
}

function Controls({ playback: { time, seek, speed, setSpeed }, length }: ControlsProps) {
  const where = `${durationText(time * 1000)} of ${durationText(length * 1000)}`
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? STEP_S : event.key === 'ArrowLeft' ? -STEP_S : 0
    if (step === 0) return
    event.preventDefault()
    seek(time + step)
  }
  return (
    <>
      <label class="seek">
        Position
        <input
          type="range"
          min={0}
          max={length}
          step="any"
          value={time}
          aria-valuetext={where}
          onInput={(event) => seek(Number(event.currentTarget.value))}
          onKeyDown={onKeyDown}
        />
      </label>
      <label>
        Speed
        <select value={speed} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
          {SPEEDS.map((one) => (
            <option key={one} value={one}>
              {one}×
            </option>
          ))}
        </select>
      </label>
      <span>{where}</span>
    </>
  )
}

function usePlayback({ length }: Recording) {
  const [time, setTime] = useState(0)
  const [isPlaying, setPlaying] = useState(true)
  const [speed, setSpeed] = useState(1)
  useEffect(() => {
    if (!isPlaying) return undefined
    let before = performance.now()
    let frame = requestAnimationFrame(function tick(now) {
      const passed = ((now - before) / 1000) * speed
      before = now
      setTime((old) => Math.min(length, old + Math.max(0, passed)))
      frame = requestAnimationFrame(tick)
    })
    return () => cancelAnimationFrame(frame)
  }, [isPlaying, speed, length])
  useEffect(() => {
    if (time >= length) setPlaying(false)
  }, [time, length])
  const seek = (to: number) => setTime(Math.min(length, Math.max(0, to)))
  return { time, seek, isPlaying, setPlaying, speed, setSpeed }
}

/** Draws the screen as it was at a given time. */
function useDrawing(
  place: { readonly current: HTMLElement | null },
  recording: Recording,
  time: number,
): void {
  const drawing = useRef<Drawing | undefined>(undefined)
  useEffect(() => {
    if (place.current === null) return undefined
    const screen = openScreen(place.current, { isRead: true })
    const opened = new Drawing(screen.terminal, recording.happenings)
    drawing.current = opened
    return () => {
      drawing.current = undefined
      opened.end()
      screen[Symbol.dispose]()
    }
  }, [place, recording])
  useEffect(() => drawing.current?.show(happenedBy(recording, time)), [recording, time])
}
