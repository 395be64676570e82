import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import '../support/machine/leaks.ts'
import { Development } from '../support/sites/development.ts'
import { commandLineOf, isAlive } from '../support/machine/processes.ts'
import { waitFor } from '../support/wait.ts'
import { Workplace } from '../support/sites/workplace.ts'

it(
  'dev does not end its agent before that has ended what a command that ignores SIGTERM has started',
  { timeout: 90_000 },
  async () => {
    using place = new Workplace()
    await using dev = await Development.start(place)
    const stubborn = `trap '' TERM; setsid sleep 861 & echo $! > started; mv started ready; while :; do sleep 1; done`
    const reply = dev.rest.script('bash', `cd '${place.path}'; ${stubborn}`)
    await waitFor(() => existsSync(place.at('ready')))
    const started = Number(readFileSync(place.at('ready'), 'utf8'))
    await waitFor(() => commandLineOf(started) === 'sleep 861 ')
    dev.program.signal('SIGTERM')
    try {
      // Two kill ladders of ten seconds, one behind the other.
      expect(await dev.program.ended(45_000)).toEqual({ code: 0, signal: null })
      expect(isAlive(started)).toBe(false)
    } finally {
      if (isAlive(started)) process.kill(started, 'SIGKILL')
    }
    expect((await reply).body).toMatchObject({ output_status: 'failed' })
  },
)
