import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import Database from 'libsql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Backups } from '../../../../src/gateway/operating/backups.ts'
import { restore } from '../../../../src/gateway/operating/restore.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { SmallDisk } from '../../../support/machine/small-disk.ts'
import { otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'
import { ReviewSite } from '../../reviews/site.ts'

const { folder, below } = place()
afterAll(() => rmSync(folder, { recursive: true }))
// The first use of libsql starts its threads, which keep a pair of sockets for as long as the process lives.
beforeAll(() => void new Database(':memory:').close())

function place() {
  const folder = mkdtempSync(path.join(tmpdir(), 'backup-'))
  return { folder, below: (name: string) => path.join(folder, name) }
}

function ask(gateway: RunningGateway, token = userToken): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, connection: 'close' }
  return fetch(`${gateway.gateway.http}/api/backup`, { method: 'POST', headers })
}

async function download(gateway: RunningGateway, name: string): Promise<string> {
  const response = await ask(gateway)
  expect(response.status).toBe(200)
  writeFileSync(below(name), Buffer.from(await response.arrayBuffer()))
  return below(name)
}

/** Nothing has to be left. */
const fail = (error: Error) => {
  throw error
}

/** Where the copies lie while they are sent. */
const copies = (state: string) => readdirSync(state).filter((name) => name.startsWith('.backup-'))

/** Runs scripts one after the other until it is stopped. */
function load(site: ReviewSite): { readonly ended: string[]; readonly stop: () => Promise<void> } {
  const ended: string[] = []
  let isStopped = false
  const runs = Array.from({ length: 3 }, async () => {
    while (!isStopped) {
      const { body } = await site.gateway.script('seq 2000')
      ended.push(String(body['session_id']))
    }
  })
  const stop = async () => {
    isStopped = true
    await Promise.all(runs)
  }
  return { ended, stop }
}

describe('a backup that is made while sessions run', () => {
  it('becomes the same gateway in an empty folder: what waits runs, what ran then is lost', async () => {
    await using site = await ReviewSite.start()
    const { body: done } = await site.gateway.script('echo out; echo err >&2; exit 3')
    const waiting = await site.ask('echo "with $OWN_TOKEN"')
    const gate = below('gate')
    const running = site.gateway.script(`echo begun; until [ -e ${gate} ]; do sleep 0.05; done`)
    const clients = load(site)
    await waitFor(() => clients.ended.length > 3)
    const before = [...clients.ended, String(done['session_id'])]
    const file = await download(site.gateway, 'load.backup')
    await clients.stop()
    writeFileSync(gate, '')
    const { body: ran } = await running
    expect(ran['exit_code']).toBe(0)

    const state = below('load-state')
    await restore(file, state)
    expect(readdirSync(state).toSorted()).toEqual(['history.sqlite', 'reviews.key'])
    expect(readdirSync(state).map((name) => statSync(path.join(state, name)).mode & 0o777)).toEqual([
      0o600, 0o600,
    ])
    await using restored = await ReviewSite.start({
      prepare: (empty) => cpSync(state, empty, { recursive: true }),
    })
    for (const sid of before) expect(await restored.session(sid)).toEqual(await site.session(sid))
    expect(await restored.session(String(ran['session_id']))).toMatchObject({
      status: 'done',
      exit_code: 254,
    })
    await restored.say('bea', waiting, 'APPROVED')
    // The secret of the connection was sealed with the key of the backup.
    expect((await restored.run('ann', waiting)).body).toMatchObject({
      exit_code: 0,
      output_status: 'success',
    })
  })

  it('is for admins, one at a time, and gives its room back when nobody reads it', async () => {
    let state = ''
    await using gateway = await RunningGateway.start(
      {},
      {
        prepare: (folder) => {
          state = folder
          // What a gateway that was killed has left.
          mkdirSync(path.join(folder, '.backup-0123456789abcdef'))
          fill(path.join(folder, 'history.sqlite'), 16)
        },
      },
    )
    expect(copies(state)).toEqual([])
    expect((await ask(gateway, otherToken)).status).toBe(403)
    const first = await ask(gateway)
    expect(copies(state)).toHaveLength(1)
    const second = await ask(gateway)
    expect([second.status, await second.json()]).toEqual([
      429,
      { code: 'too-much-at-once', message: 'another backup is being made; try again later' },
    ])
    await first.body?.cancel()
    await waitFor(() => copies(state).length === 0)
    await restore(await download(gateway, 'after.backup'), below('after'))
    await waitFor(() => copies(state).length === 0)
  })
})

it('a backup that a machine takes has no key of what waits for approval, also as an admin', async () => {
  const machine = 'token-of-the-machine-0123456789'
  let state = ''
  await using gateway = await RunningGateway.start(
    {},
    {
      users: `\n  - { name: bot, kind: machine, token: ${machine}, groups: [admin] }`,
      connections: '\n  - { name: asked, agent: local, command: [bash], review: { groups: [admin] } }',
      prepare: (folder) => (state = folder),
    },
  )
  await gateway.request('POST', '/api/sessions', { connection: 'asked', script: 'true' })
  const parts = async (token: string) => {
    const [manifest = ''] = gunzipSync(await (await ask(gateway, token)).arrayBuffer())
      .toString('latin1')
      .split('\n', 1)
    return (JSON.parse(manifest) as { parts: { name: string }[] }).parts.map(({ name }) => name)
  }
  expect(await parts(userToken)).toEqual(['history.sqlite', 'reviews.key'])
  await waitFor(() => copies(state).length === 0)
  expect(await parts(machine)).toEqual(['history.sqlite'])
})

/** Writes sessions of a MiB that does not get smaller. */
function fill(file: string, sessions: number): void {
  const history = openHistory(file)
  for (let i = 0; i < sessions; i++) {
    history.begin({
      ...{ id: `s${i}`, origin: 'client-api', verb: 'exec', connection: 'bash', connectionType: 'custom' },
      ...{ user: 'ann', script: noise(1024 * 1024), labels: {}, metadata: {}, startedAt: new Date(i) },
    })
    history.finish(`s${i}`, { exitCode: 0, truncatedBytes: 0, endedAt: new Date(i) })
  }
  history.close()
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function noise(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, () => Math.floor(Math.random() * 256)))
}

describe('a backup', () => {
  let file: string
  beforeAll(async () => {
    mkdirSync(below('small'), { mode: 0o700 })
    fill(below('small/history.sqlite'), 1)
    writeFileSync(below('small/reviews.key'), 'k'.repeat(32), { mode: 0o600 })
    const backups = new Backups(below('small'), '1.2.3', fail)
    const backup = await backups.make({ withKey: true })
    file = below('small.backup')
    writeFileSync(file, Buffer.concat(await backup.bytes.toArray()))
    await backups.close()
    expect(copies(below('small'))).toEqual([])
  })

  async function refused(content: Buffer): Promise<string> {
    writeFileSync(below('refused.backup'), content)
    const error: unknown = await restore(below('refused.backup'), below('refused')).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(existsSync(below('refused'))).toBe(false)
    return (error as Error).message
  }

  it('that was cut anywhere is refused, and leaves nothing', async () => {
    const whole = readFileSync(file)
    for (const part of [0, 0.001, 0.3, 0.9, 0.99999])
      expect(await refused(whole.subarray(0, whole.length * part))).toMatch(
        /the backup is truncated|the file is not a backup/,
      )
  })

  it('that was altered is refused, with its sums made right for gzip', async () => {
    const plain = gunzipSync(readFileSync(file))
    const altered = (change: (bytes: Buffer) => Buffer) => refused(gzipSync(change(Buffer.from(plain))))
    const flipped = (at: number) => (bytes: Buffer) => {
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
      return bytes
    }
    expect(await altered(flipped(plain.length - 1))).toMatch(/altered: reviews.key was changed/)
    expect(await altered(flipped(plain.length - 100))).toMatch(/altered: history.sqlite/)
    expect(await altered((bytes) => Buffer.concat([bytes, Buffer.from('x')]))).toMatch(/it has more bytes/)
    const line = (from: string | RegExp, to: string) =>
      altered((bytes) => {
        const end = bytes.indexOf('\n')
        const text = bytes.subarray(0, end).toString()
        return Buffer.concat([Buffer.from(text.replace(from, to)), bytes.subarray(end)])
      })
    expect(await line('reviews.key', '../../etc/x')).toMatch(/its first line/)
    expect(await line(/"schema":\d+/, '"schema":99')).toMatch(/newer version of this program \(schema 99/)
    expect(await line(/"schema":\d+/, '"schema":1')).toMatch(/altered: its history has schema \d+, but/)
    expect(await line(/"schema":\d+/, '"schema":0')).toMatch(/its first line/)
    expect(await line('"format":1', '"format":2')).toMatch(/newer version/)
    expect(await line('runbook-agent backup', 'something')).toMatch(/not a backup/)
    const wire = readFileSync(file)
    expect(await refused(flipped(wire.length >> 1)(wire))).toMatch(/altered/)
  })

  it.each([
    [
      'no database',
      Buffer.from('no database at all, and long enough for a page'.repeat(200)),
      /not a database/,
    ],
    ['nothing', Buffer.alloc(0), /its history has schema 0/],
  ])('whose history is %s is refused, with its sums made right', async (_, history, says) => {
    const part = { name: 'history.sqlite', bytes: history.length, sha256: sha256(history) }
    const what = { kind: 'runbook-agent backup', format: 1, program: '1', schema: 1 }
    const manifest = JSON.stringify({ ...what, made_at: new Date().toISOString(), parts: [part] })
    expect(await refused(gzipSync(Buffer.concat([Buffer.from(`${manifest}\n`), history])))).toMatch(says)
  })

  it('that never ends is refused before its first line is too long', async () => {
    expect(await refused(gzipSync(Buffer.alloc(100 * 1024 * 1024)))).toMatch(/the file is not a backup/)
  })

  it('goes into no folder that has something in it, but again into one where a kill has cut it short', async () => {
    mkdirSync(below('used'), { mode: 0o700 })
    writeFileSync(below('used/mine'), 'x')
    await expect(restore(file, below('used'))).rejects.toThrow(/is not empty/)
    expect(readdirSync(below('used'))).toEqual(['mine'])

    mkdirSync(below('cut/.restore-0123456789abcdef'), { recursive: true, mode: 0o700 })
    writeFileSync(below('cut/.restore-0123456789abcdef/history.sqlite'), 'half')
    writeFileSync(below('cut/reviews.key'), 'k'.repeat(32))
    await expect(
      RunningGateway.start({}, { prepare: (state) => cpSync(below('cut'), state, { recursive: true }) }),
    ).rejects.toThrow(/was interrupted: run it again/)
    await restore(file, below('cut'))
    expect(readdirSync(below('cut')).toSorted()).toEqual(['history.sqlite', 'reviews.key'])
    const history = openHistory(below('cut/history.sqlite'))
    expect(history.session('s0')?.status).toBe('done')
    history.close()
  })

  it('that is restored twice at once into one folder is there once, and who was told so finds it', async () => {
    const ends = await Promise.allSettled([
      restore(file, below('both')),
      ...[1, 2, 3].map(() => restore(file, below('both'))),
    ])
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(readdirSync(below('both')).toSorted()).toEqual(['history.sqlite', 'reviews.key'])
  })

  it.skipIf(!SmallDisk.permitted())(
    'ends, and the gateway does not, when its copy cannot be removed',
    async () => {
      const state = below('stuck')
      cpSync(below('small'), state, { recursive: true })
      const log: string[] = []
      const backups = new Backups(state, '1.2.3', (error) => void log.push(error.message))
      const backup = await backups.make({ withKey: true })
      const [copy = ''] = copies(state)
      const mounted = path.join(state, copy, 'busy')
      mkdirSync(mounted)
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', mounted])
      try {
        await backup.discard()
        expect(log).toEqual([expect.stringMatching(/EBUSY/)])
      } finally {
        execFileSync('umount', [mounted])
      }
      const again = await backups.make({ withKey: true })
      await again.discard()
      await backups.close()
      new Backups(state, '1.2.3', fail)
      expect(copies(state)).toEqual([])
    },
  )

  it.skipIf(!SmallDisk.permitted())(
    'is not begun where the disk has no room for it, nor a restore',
    async () => {
      using disk = new SmallDisk('32m')
      const state = path.join(disk.path, 'state')
      mkdirSync(state, { mode: 0o700 })
      fill(path.join(state, 'history.sqlite'), 1)
      const backups = new Backups(state, '1.2.3', fail)
      await expect(backups.make({ withKey: true })).rejects.toThrow(
        expect.objectContaining({ noRoom: expect.any(String) as string }) as Error,
      )
      expect(copies(state)).toEqual([])
      await expect(restore(file, path.join(disk.path, 'restored'))).rejects.toThrow(
        /are needed in .* are free/,
      )
      expect(existsSync(path.join(disk.path, 'restored'))).toBe(false)
    },
  )
})
