import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Random } from '../faults/random.ts'
import { Site } from '../support/sites/site.ts'
import { waitFor } from '../support/wait.ts'

/** `MINUTES=3 KILLS_SEED=7 npm run test:soak -- schedules` */
const minutes = Number(process.env['MINUTES'] ?? 5)
const seed = Number(process.env['KILLS_SEED'] ?? Date.now() % 2 ** 31)
const MINUTE_MS = 60_000
/** A gateway lives for so long at most. */
const LONGEST_MS = 15_000

interface Run {
  readonly due_at: string | null
  readonly status: string
  readonly reason: string | null
  readonly session_id: string | null
}

it(
  `schedules of each minute run once a minute, for ${minutes} minutes of kills, and say what was left out`,
  { timeout: (minutes + 3) * MINUTE_MS },
  async () => {
    console.log(`schedules: ${minutes} minutes, seed ${seed}`)
    const random = new Random(seed)
    await using site = await Site.start({
      schedules: ['once', 'none'].map((rule) => ({
        ...{ name: rule, cron: '* * * * *', 'catch-up': rule, connection: 'bash', as: 'admin' },
        runbook: 'ops/mark.runbook.sh',
      })),
      runbooks: { 'ops/mark.runbook.sh': 'echo "$HOOP_SESSION_ID" >> "$TMPDIR/marks"' },
    })
    const begun = Date.now()
    while (Date.now() - begun < minutes * MINUTE_MS) {
      await delay(random.between(0, LONGEST_MS))
      await site.killGateway()
      await delay(random.between(0, LONGEST_MS / 3))
      await site.startGateway()
    }
    const runsOf = async (name: string): Promise<Run[]> => {
      const { body } = await site.rest.send('GET', `/api/schedules/${name}`)
      return (JSON.parse(body) as { runs: Run[] }).runs
    }
    const dueMinutes = Array.from({ length: minutes }, (_, at) => {
      const first = Math.ceil(begun / MINUTE_MS) * MINUTE_MS
      return new Date(first + at * MINUTE_MS).toISOString()
    })
    for (const name of ['once', 'none']) {
      // No gateway was away for a whole minute, so each due time is there.
      await waitFor(async () => {
        const runs = await runsOf(name)
        const isThere = (at: string) => runs.some(({ due_at: due }) => due === at)
        return dueMinutes.every(isThere) && runs.every(({ status }) => !/^(starting|running)$/.test(status))
      }, 30_000)
      const due = (await runsOf(name)).flatMap(({ due_at: at }) => (at === null ? [] : [at]))
      expect(new Set(due).size).toBe(due.length)
    }
    const marks = readFileSync(site.place.at('tmp/marks'), 'utf8').trim().split('\n')
    expect(new Set(marks).size).toBe(marks.length)
    console.log('schedules:', { marks: marks.length, due: dueMinutes.length })
  },
)
