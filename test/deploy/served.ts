import { signalChild } from '../../src/basics/signals.ts'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { ReadyLine } from '../support/sites/development.ts'
import { Rest, type Answer } from '../support/scripted/rest.ts'
import { found } from '../support/wait.ts'
import type { Workplace } from '../support/sites/workplace.ts'

/** For a start, and an end, on a machine that is busy with other tests. */
const WITHIN_MS = 25_000

/**
 * Runs one script through gateway and agent of a program that was put somewhere, and ends them.
 * @param main is executed as it is, so it needs its first line and its rights
 * @returns the answer, and how the program ended
 */
export async function served(
  main: string,
  place: Workplace,
  script: string,
): Promise<{ readonly answer: Answer; readonly code: number | null; readonly log: string }> {
  const args = ['dev', '--json', '--state', 'state', '--http', '127.0.0.1:0', '--grpc', '127.0.0.1:0']
  const child = spawn(main, args, { cwd: place.path, env: place.env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  let ended: number | null | undefined
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text))
  child.once('error', (error) => (output.stderr += error.message))
  child.once('close', (code) => (ended = code))
  try {
    const line = await found(
      () => /^\{.*\}$/m.exec(output.stdout)?.[0] ?? (ended === undefined ? undefined : ''),
      WITHIN_MS,
    )
    if (line === '') throw new Error(`${main} ended before it was ready\n${output.stdout}\n${output.stderr}`)
    const ready = JSON.parse(line) as ReadyLine
    const rest = new Rest(ready.http, readFileSync(ready.tokenFile, 'utf8').trim())
    const { body } = await rest.script('bash', script)
    signalChild(child, 'SIGTERM')
    const code = await found(() => (ended === undefined ? undefined : { ended }), WITHIN_MS)
    return { answer: body, code: code.ended, log: output.stderr }
  } finally {
    if (ended === undefined) signalChild(child, 'SIGKILL')
  }
}
