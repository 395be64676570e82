import { expect, test } from 'vitest'
import '../support/machine/leaks.ts'
import { descendantsOf, peakMemoryOf } from '../support/machine/processes.ts'
import { Shell } from '../support/terminals/shell.ts'
import { Site } from '../support/sites/site.ts'
import { waitFor } from '../support/wait.ts'

const GIGABYTE = 1_000_000_000
/** A program of Node's has some 60 to begin with; what is on its way is bounded by windows of 4 MiB. */
const MOST_MB = 250

test(
  'exec brings a gigabyte whole, and none of the three programs keeps it',
  { timeout: 10 * 60_000 },
  async () => {
    await using site = await Site.start()
    const script = `yes 0123456789abcdef | head -c ${GIGABYTE}`
    await using run = new Shell(
      site.place,
      `runbook-agent exec bash -i '${script}' > out; echo "code $?"; cmp out <(${script}) && echo same; rm out`,
      { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token },
    )
    let peakMb = 0
    await waitFor(() => {
      peakMb = Math.max(peakMb, ...descendantsOf(run.pid).map(peakOf))
      return run.stdout.includes('code')
    }, 5 * 60_000)
    await waitFor(() => run.stdout.includes('\n', run.stdout.indexOf('code') + 8), 60_000)
    expect(run.stdout).toBe('code 0\nsame\n')
    expect(peakMb).toBeGreaterThan(0)
    console.log('1 GB', {
      client: peakMb,
      gateway: peakMemoryOf(site.gateway.pid),
      agent: peakMemoryOf(site.agent.pid),
    })
    for (const mb of [peakMb, peakMemoryOf(site.gateway.pid), peakMemoryOf(site.agent.pid)])
      expect(mb).toBeLessThan(MOST_MB)
  },
)

/** 0 for one that has just ended. */
function peakOf(pid: number): number {
  try {
    return peakMemoryOf(pid) || 0
  } catch {
    return 0
  }
}
