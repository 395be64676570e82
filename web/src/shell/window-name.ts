import { effect } from '@preact/signals'
import failedMark from '../look/mark-failed.svg?url'
import runningMark from '../look/mark-running.svg?url'
import restMark from '../look/mark.svg?url'
import { namedView, type Mark } from '../parts/title.ts'
import { titleOfView } from '../routes.tsx'
import { hasFailed, runningOfMine, waitingForMe } from './mine.tsx'

const MARKS: Readonly<Record<Mark | 'rest', string>> = {
  rest: restMark,
  running: runningMark,
  failed: failedMark,
}

/** Title and favicon show waiting requests, running sessions and failures in the browser's tabs. */
export function nameWindow(): void {
  effect(() => {
    const waiting = waitingForMe.value.length
    const view = namedView()?.text ?? titleOfView()
    document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${view} · runbook-agent`
  })
  effect(() => {
    const others = hasFailed.value ? 'failed' : runningOfMine.value.length > 0 ? 'running' : 'rest'
    const mark = namedView()?.mark ?? others
    document.querySelector<HTMLLinkElement>('link[rel=icon]')?.setAttribute('href', MARKS[mark])
  })
}
