import { useEffect, useRef, useState } from 'preact/hooks'
import { Icon } from '../../parts/icon.tsx'
import { durationText } from '../../parts/moment.tsx'
import { Drawing } from './drawing.ts'
import { happenedBy, type Recording } from './recording.ts'
import { openScreen } from './screen.ts'

const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const
/** Step of an arrow key in seconds. */
const STEP_S = 5

interface PlayerProps {
  readonly recording: Recording
  /** Seconds from the beginning of the recording. */
  readonly from: number
}

export function Player({ recording, from }: PlayerProps) {
  const place = useRef<HTMLDivElement>(null)
  const playback = usePlayback(recording, from)
  const { time, seek, isPlaying, setPlaying } = playback
  useDrawing(place, recording, time)
  const isOver = time >= recording.length
  const play = () => {
    if (isOver) seek(0)
    setPlaying(!isPlaying || isOver)
  }
  return (
    <>
      <div class="terminal" ref={place} role="group" aria-label="Recorded terminal" />
      <div class="player" role="group" aria-label="Replay">
        <button type="button" class="button is-small" onClick={play}>
          <Icon name={isPlaying && !isOver ? 'pause' : 'run'} small />
          {isPlaying && !isOver ? 'Pause' : 'Play'}
        </button>
        <Controls playback={playback} length={recording.length} />
      </div>
    </>
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
        <span class="said-only">Position</span>
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
        <span class="said-only">Speed</span>
        <select
          class="choice"
          value={speed}
          onChange={(event) => setSpeed(Number(event.currentTarget.value))}
        >
          {SPEEDS.map((one) => (
            <option key={one} value={one}>
              {one}×
            </option>
          ))}
        </select>
      </label>
      <span class="small number">{where}</span>
    </>
  )
}

function usePlayback({ length }: Recording, from: number) {
  const [time, setTime] = useState(Math.min(from, length))
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
