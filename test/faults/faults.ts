import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FaultProxy } from '../support/network/fault-proxy.ts'
import { descriptorsOf } from '../support/machine/processes.ts'
import type { Disk } from './disk.ts'
import type { Load } from './load.ts'
import type { AgentName, Fault, FaultKind } from './plan.ts'
import type { Slot } from './process.ts'
import type { Site } from './site.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** So many times as long as a fault usually lasts: the gateway drops an agent that is silent for 20 s. */
const LONG = 40

interface Scene {
  readonly site: Site
  readonly load: Load
  readonly fault: Fault
}

/** Applies it, and after its time takes it back. */
type Inject = (scene: Scene) => Promise<void> | void

/** What a machine cannot do is not injected, and said. */
export const DISK_FAULTS: readonly FaultKind[] = [
  'full disk of gateway',
  'full disk of agent',
  'read-only disk of gateway',
  'read-only disk of agent',
]

const INJECT: Readonly<Record<FaultKind, Inject>> = {
  'kill gateway': (scene) => killed(scene, scene.site.gateway, scene.load.busy()),
  'kill agent': (scene) => killed(scene, agentOf(scene), scene.load.busy(scene.fault.agent)),
  'kill client': ({ load, fault }) => clientOf(load, fault).kill(),
  'stop gateway': (scene) => stopped(scene, scene.site.gateway),
  'stop agent': (scene) => stopped(scene, agentOf(scene)),
  'stop client': stoppedClient,
  'full disk of gateway': (scene) => full(scene, scene.site.gateway, scene.site.disks?.gateway),
  'full disk of agent': (scene) => full(scene, agentOf(scene), scene.site.disks?.[scene.fault.agent]),
  'read-only disk of gateway': (scene) => readOnly(scene, scene.site.gateway, scene.site.disks?.gateway),
  'read-only disk of agent': (scene) =>
    readOnly(scene, agentOf(scene), scene.site.disks?.[scene.fault.agent]),
  'few descriptors for gateway': (scene) => fewDescriptors(scene, scene.site.gateway),
  'few descriptors for agent': (scene) => fewDescriptors(scene, agentOf(scene)),
  'partition of agent': (scene) => partition(scene, [scene.site.lines.agents[scene.fault.agent]]),
  'long partition of agent': (scene) => partition(scene, [scene.site.lines.agents[scene.fault.agent]], LONG),
  'partition of clients': (scene) => partition(scene, [scene.site.lines.http, scene.site.lines.clients]),
  'slow line': slow,
  'line cut in a packet': cut,
  'line reset': (scene) => anyLine(scene).reset(),
  'clock jump of gateway': (scene) => clockJump(scene, 'gateway'),
  'clock jump of agent': (scene) => clockJump(scene, scene.fault.agent),
  'repository rewritten': rewrite,
  'repository gone': (scene) => moved(scene, () => undefined),
  'repository replaced': (scene) => moved(scene, (folder) => writeFileSync(folder, 'no folder\n')),
  'mirror damaged': ({ site, fault }) => damageMirror(site, fault),
}

/** When its moment has come. */
export async function inject(scene: Scene): Promise<void> {
  const { site, fault } = scene
  await delay(fault.atMs)
  site.note(`${fault.kind} begins`)
  await INJECT[fault.kind](scene)
  site.note(`${fault.kind} is over`)
}

function agentOf({ site, fault }: Scene): Slot {
  return site.agents[fault.agent]
}

function clientOf({ clients }: Load, { amount }: Fault) {
  const client = clients[amount % clients.length]
  if (client === undefined) throw new Error('a round without clients')
  return client
}

async function killed({ site, fault }: Scene, slot: Slot, busy: Promise<void>): Promise<void> {
  await busy
  await slot.exclusively(async () => {
    await slot.end('SIGKILL')
    await delay(fault.forMs)
    await start(site, slot)
  })
}

/** A gateway's ports are known when it is ready. */
async function start(site: Site, slot: Slot): Promise<void> {
  if (slot === site.gateway) await site.startGateway()
  else slot.begin()
}

async function stopped({ fault }: Scene, slot: Slot): Promise<void> {
  await slot.exclusively(async () => {
    const { process } = slot
    process?.signal('SIGSTOP')
    await delay(fault.forMs)
    process?.signal('SIGCONT')
  })
}

async function stoppedClient({ load, fault }: Scene): Promise<void> {
  const client = clientOf(load, fault)
  client.signalProcess('SIGSTOP')
  await delay(fault.forMs)
  client.signalProcess('SIGCONT')
}

/** Now and then a gateway is killed on it, and has to start where there is no room. */
async function full({ site, fault }: Scene, slot: Slot, disk: Disk | undefined): Promise<void> {
  await disk?.exclusively(async () => {
    disk.fill()
    if (slot === site.gateway && fault.amount % 2 === 1) await restarted(site, slot)
    await delay(fault.forMs)
    disk.free()
  })
}

async function restarted(site: Site, slot: Slot): Promise<void> {
  await slot.exclusively(async () => {
    await slot.end('SIGKILL')
    await start(site, slot)
  })
}

/** A file system with files open for writing cannot be made read-only: the process starts on it. */
async function readOnly({ site, fault }: Scene, slot: Slot, disk: Disk | undefined): Promise<void> {
  await slot.exclusively(async () => {
    await disk?.exclusively(async () => {
      await slot.end('SIGKILL')
      disk.makeReadOnly()
      const process = slot.begin()
      // A gateway that cannot record anything may also refuse to start.
      process.endExpected = slot === site.gateway
      await delay(fault.forMs)
      await slot.end('SIGKILL')
      disk.makeWritable()
    })
    await start(site, slot)
  })
}

/** As many more as it has by then, and some. */
async function fewDescriptors({ site, fault }: Scene, slot: Slot): Promise<void> {
  await slot.exclusively(async () => {
    const { process } = slot
    if (process === undefined) return
    // An agent that is still loading its modules cannot go on without descriptors: it ends, as every program does.
    if (slot !== site.gateway) await process.prints('err', /agent connecting/)
    const limit = (soft: number | string) =>
      spawnSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`])
    const before = spawnSync('prlimit', [
      '--pid',
      String(process.pid),
      '--nofile',
      '--noheadings',
      '--output=SOFT',
    ])
    limit(descriptorsOf(process.pid) + (fault.amount % 12))
    await delay(fault.forMs)
    if (!process.hasEnded) limit(String(before.stdout).trim())
  })
}

async function partition({ fault }: Scene, lines: readonly FaultProxy[], times = 1): Promise<void> {
  for (const line of lines) line.blackHole()
  await delay(fault.forMs * times)
  for (const line of lines) line.heal()
}

function anyLine({ site: { lines }, fault }: Scene): FaultProxy {
  const all = [lines.http, lines.clients, lines.agents.a, lines.agents.b]
  return all[fault.amount % all.length] ?? lines.http
}

async function slow(scene: Scene): Promise<void> {
  const line = anyLine(scene)
  line.delayMs = 5 + (scene.fault.amount % 60)
  await delay(scene.fault.forMs)
  line.delayMs = 0
}

function cut(scene: Scene): void {
  const { amount } = scene.fault
  anyLine(scene).cutAfter(amount % 2 === 0 ? 'to-target' : 'to-client', 1 + amount)
}

/**
 * 60 days forwards at most, 25 back, for as long as the fault lasts; now and then the process starts in the other time.
 * What ends under a clock that is further back than `history.retain` is recorded with that time, and old at once.
 */
async function clockJump({ site, fault }: Scene, of: 'gateway' | AgentName): Promise<void> {
  const slot = of === 'gateway' ? site.gateway : site.agents[of]
  const days = (fault.amount % 86) - 25
  site.setClock(of, days * DAY_MS)
  if (fault.amount % 2 === 1) await restarted(site, slot)
  await delay(fault.forMs)
  site.setClock(of, 0)
}

/** The branch starts anew, as after a push by force: no commit that was there leads to it. */
async function rewrite({ site, fault: { amount } }: Scene): Promise<void> {
  const { books } = site
  await site.booksTurn(() => {
    books.git('checkout', '--quiet', '--orphan', `rewritten-${amount}`)
    books.commit({ 'README.md': `Rewritten ${amount}.\n` })
    books.git('branch', '--quiet', '-D', 'main')
    books.git('branch', '--quiet', '-m', 'main')
  })
}

async function moved({ site, fault }: Scene, put: (folder: string) => void): Promise<void> {
  const { path: folder } = site.books
  await site.booksTurn(async () => {
    renameSync(folder, `${folder}.away`)
    put(folder)
    await delay(fault.forMs)
    rmSync(folder, { recursive: true, force: true })
    renameSync(`${folder}.away`, folder)
  })
}

/** One file of the private copy gets other bytes. */
function damageMirror(site: Site, { amount }: Fault): void {
  const folder = path.join(site.state('gateway'), 'repositories')
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  const file = files[amount % files.length]
  if (file === undefined) return
  const bytes = createHash('sha256').update(String(amount)).digest()
  rmSync(path.join(file.parentPath, file.name))
  writeFileSync(path.join(file.parentPath, file.name), bytes)
}
