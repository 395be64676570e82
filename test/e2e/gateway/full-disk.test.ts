import { expect, it } from 'vitest'
import { Gate } from '../../support/gate.ts'
import { Site } from '../../support/sites/site.ts'
import { SmallDisk } from '../../support/machine/small-disk.ts'
import { waitFor } from '../../support/wait.ts'

const canMount = process.geteuid?.() === 0 && SmallDisk.permitted()

const readiness = async (site: Site) => {
  const { status, body } = await site.rest.send('GET', '/readyz', undefined, 'no token')
  return { status, ...(JSON.parse(body) as object) }
}
const DEGRADED = {
  ...{ status: 503 },
  reason: 'the session history cannot be written: the disk is full',
}

/** There may be room in the write-ahead log still: runs something until there is none. */
async function refusal(site: Site): Promise<unknown[]> {
  for (;;) {
    const { status, body } = await site.rest.script('bash', `: ${'x'.repeat(30_000)}`)
    if (status !== 200) return [status, body.message]
  }
}

it.skipIf(!canMount)(
  'a gateway on a full disk keeps the code of what ends, starts again, refuses new sessions, and recovers by itself (needs mount)',
  async () => {
    using disk = new SmallDisk('8M')
    await using site = await Site.start({ state: disk.path })
    using gate = new Gate(site.place)
    expect(await readiness(site)).toMatchObject({ status: 'ready' })
    const running = site.rest.script('bash', `${gate.script} exit 7`)
    const [{ session }] = await gate.reached()
    disk.fill()
    expect(await refusal(site)).toEqual([
      503,
      expect.stringMatching(/^the session couldn't be created: .*database or disk is full; free some space/),
    ])
    disk.fill()
    gate.open()
    expect((await running).body).toMatchObject({ exit_code: 7 })
    expect(await site.rest.session(session)).toMatchObject({ status: 'done', exit_code: 7 })

    site.gateway.signal('SIGKILL')
    await site.gateway.ended()
    disk.fill()
    await site.startGateway()
    // A start may give back some room, which the gateway notices within seconds.
    await waitFor(async () => {
      disk.fill()
      expect((await refusal(site))[0]).toBe(503)
      return (await readiness(site)).status.toString() === 'degraded'
    })
    expect(await readiness(site)).toMatchObject({ ...DEGRADED, status: 'degraded' })
    expect(await site.rest.session(session)).toMatchObject({ status: 'done', exit_code: 7 })
    disk.free()
    await waitFor(async () => (await readiness(site)).status.toString() === 'ready')
    expect((await site.rest.script('bash', 'echo new')).body).toMatchObject({ output: 'new\n', exit_code: 0 })
    expect(await site.rest.session(session)).toMatchObject({ status: 'done', exit_code: 7 })
  },
)
