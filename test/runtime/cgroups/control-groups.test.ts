import { signalChild } from '../../../src/basics/signals.ts'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type AdoptOptions,
  ControlGroup,
  ControlGroups,
  setLimits,
} from '../../../src/runtime/cgroups/control-groups.ts'
import { isPopulated, removeGroup, subgroups } from '../../../src/runtime/cgroups/cgroup-files.ts'
import { childrenOf, isAlive } from '../../support/machine/processes.ts'
import { waitFor } from '../../support/wait.ts'

// Real groups, below one that each test makes for itself, with processes that it starts: where that is permitted.
const MOUNT = /^(?:\S+ ){4}(\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1] ?? ''
const place = path.join(MOUNT, `test-${randomUUID()}`)
const permitted = madePlace()
const hasControllers = permitted && controllersOfPlace()
if (permitted) removeGroup(place)

const children: ChildProcess[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cgroup-'))
})
afterEach(async () => {
  for (const child of children) signalChild(child, 'SIGKILL')
  for (const child of children.splice(0)) await ended(child)
  rmSync(folder, { recursive: true })
})

describe.skipIf(!permitted)('a control group (needs a writable cgroup v2)', () => {
  beforeEach(() => mkdirSync(place))
  afterEach(async () => {
    await new ControlGroup(place, MOUNT)[Symbol.asyncDispose]()
    expect(existsSync(place)).toBe(false)
  })

  it('takes in what a shell has forked before it was moved, and nothing of other sessions', async () => {
    const agent = path.join(place, 'agent')
    mkdirSync(agent)
    const shell = await startIn(agent, ['sh', '-c', 'sleep 1000 & sleep 1000 & wait'])
    const other = await startIn(agent)
    await waitFor(() => childrenOf(pidOf(shell)).length === 2)
    const group = ControlGroup.create(path.join(place, 's'), agent, {})
    expect(await group.add(pidOf(shell))).toBe(true)
    const members = [pidOf(shell), ...childrenOf(pidOf(shell))]
    expect([group.pids().sort(), groupOf(pidOf(other))]).toEqual([members.sort(), agent])
    await group[Symbol.asyncDispose]()
  })

  it('lets what it has moved go on, and holds what that forks', async () => {
    const group = ControlGroup.create(path.join(place, 's'), place, {})
    const shell = start(['sh', '-c', 'read line; sleep 1000 & wait'], 'pipe')
    await group.add(pidOf(shell))
    shell.stdin?.end('go\n')
    await waitFor(() => group.pids().length === 2)
    await group[Symbol.asyncDispose]()
    expect(await ended(shell)).toBe('SIGKILL')
  })

  it('does not take a process that has ended', async () => {
    const group = ControlGroup.create(path.join(place, 's'), place, {})
    const child = start(['true'])
    await ended(child)
    expect([await group.add(pidOf(child)), isPopulated(group.folder)]).toEqual([false, false])
    await group[Symbol.asyncDispose]()
  })

  it('kills what has left its session and has groups of its own, and is gone after that', async () => {
    const group = ControlGroup.create(path.join(place, 's'), place, {})
    const below = path.join(group.folder, 'made', 'deep')
    mkdirSync(below, { recursive: true })
    const direct = await startIn(group.folder)
    const nested = await startIn(below)
    const escaped = await startIn(group.folder, ['setsid', '-f', 'sleep', '1000'], true)
    await waitFor(() => group.pids().length === 3)
    const alive = group.pids()
    expect(isPopulated(group.folder)).toBe(true)
    await group[Symbol.asyncDispose]()
    expect([existsSync(group.folder), alive.filter(isAlive)]).toEqual([false, []])
    for (const child of [direct, nested]) expect(await ended(child)).toBe('SIGKILL')
    expect(await ended(escaped)).toBe(null)
  })

  it('is not removed by removeEmpty while something lives in it', async () => {
    const group = ControlGroup.create(path.join(place, 's'), place, {})
    const child = await startIn(group.folder)
    expect([group.removeEmpty(), isAlive(pidOf(child))]).toEqual([false, true])
    group.kill()
    await waitFor(() => group.removeEmpty())
  })

  it('leaves nothing when it does not take a limit', () => {
    const create = () =>
      ControlGroup.create(path.join(place, 's'), place, { memoryMaxBytes: 1.5, pidsMax: -3 })
    expect(create).toThrow(`the control group ${place}/s could not be made`)
    expect(subgroups(place)).toEqual([])
  })

  it('is made below the group of the agent, which moves into a part of it', async () => {
    const agent = await startIn(place)
    using groups = await adopted({ pid: pidOf(agent) })
    expect(path.relative(groups.folder, groupOf(pidOf(agent)))).toMatch(/^agent-[0-9a-f]{8}$/)
    const group = groups.create('../../etc; 🦊 session-1')
    expect(path.basename(group.folder)).toMatch(/^s-[0-9a-f]{8}-1-etcsession-1$/)
    expect(path.dirname(group.folder)).toBe(place)
    expect(groups.create('x'.repeat(5000)).removeEmpty()).toBe(true)
  })

  it('puts the group of the agent back as it was', async () => {
    const agent = await startIn(place)
    const before = stateOf(place)
    const groups = await adopted({ pid: pidOf(agent) })
    groups.create('left')
    groups[Symbol.dispose]()
    expect([stateOf(place), subgroups(place), groupOf(pidOf(agent))]).toEqual([before, [], place])
  })

  it('kills what a dead agent left, and nothing of one that lives', async () => {
    // Stays in the group as a supervisor would; with it the controllers cannot be enabled, and more may enter.
    await startIn(place)
    const [dead, alive, next] = [await startIn(place), await startIn(place), await startIn(place)]
    const lost = (await adopted({ pid: pidOf(dead) })).create('lost')
    const kept = (await adopted({ pid: pidOf(alive) })).create('kept')
    const [orphan, running] = [await startIn(lost.folder), await startIn(kept.folder)]
    signalChild(dead, 'SIGKILL')
    await ended(dead)
    using groups = await adopted({ pid: pidOf(next) })
    expect(await ended(orphan)).toBe('SIGKILL')
    expect([existsSync(lost.folder), kept.pids(), isAlive(pidOf(running))]).toEqual([
      false,
      [pidOf(running)],
      true,
    ])
    expect(subgroups(place)).toHaveLength(3)
    expect(groups.missing).toHaveLength(2)
  })

  it('leaves what a dead agent left running when it is told so', async () => {
    await startIn(place)
    const [dead, next] = [await startIn(place), await startIn(place)]
    const groups = await adopted({ pid: pidOf(dead) })
    const [left, empty] = [groups.create('left'), groups.create('empty')]
    const running = await startIn(left.folder)
    signalChild(dead, 'SIGKILL')
    await ended(dead)
    using after = await adopted({ pid: pidOf(next), leftovers: 'leave' })
    expect([isAlive(pidOf(running)), existsSync(empty.folder)]).toEqual([true, false])
    expect(subgroups(after.folder)).toHaveLength(2)
  })

  it('does without limits when other processes are in the group, or the controllers are missing', async () => {
    const [agent] = [await startIn(place), await startIn(place)]
    using groups = await adopted({ pid: pidOf(agent), memoryMaxBytes: 1e8, pidsMax: 10 })
    const why = hasControllers ? 'contains 1 other processes' : 'does not offer this controller'
    expect(groups.missing).toEqual(
      ['memory', 'pids'].map((name) => `no limits by the ${name} controller: ${place} ${why}`),
    )
    const group = groups.create('unlimited')
    await startIn(group.folder)
    await group[Symbol.asyncDispose]()
  })

  it('is not made below the root of the machine', async (context) => {
    if (existsSync(path.join(MOUNT, 'cgroup.type'))) return context.skip()
    const child = await startIn(MOUNT)
    const answer = await ControlGroups.adopt({ pid: pidOf(child) })
    expect(answer).toEqual({ reason: `${MOUNT} is the root of all groups of this machine` })
    expect(groupOf(pidOf(child))).toBe(MOUNT)
  })
})

describe.skipIf(!hasControllers)('a limit (needs a writable cgroup v2 with memory and pids)', () => {
  beforeEach(() => mkdirSync(place))
  afterEach(async () => {
    await new ControlGroup(place, MOUNT)[Symbol.asyncDispose]()
    expect(existsSync(place)).toBe(false)
  })

  it('of memory ends the whole execution, and the group knows', async () => {
    const agent = await startIn(place)
    using groups = await adopted({ pid: pidOf(agent), memoryMaxBytes: 32 * 1024 * 1024 })
    const [group, bystander] = [groups.create('hog'), groups.create('bystander')]
    const beside = await startIn(group.folder)
    expect([groups.missing, group.oomKilled()]).toEqual([[], false])
    const hog = await startIn(group.folder, ['tail', '/dev/zero'])
    expect([await ended(hog), await ended(beside)]).toEqual(['SIGKILL', 'SIGKILL'])
    expect([group.oomKilled(), bystander.oomKilled()]).toEqual([true, false])
    await group[Symbol.asyncDispose]()
  })

  it('of processes makes the next fork fail', async () => {
    const agent = await startIn(place)
    using groups = await adopted({ pid: pidOf(agent), pidsMax: 2 })
    const group = groups.create('forks')
    const shell = await startIn(group.folder, ['sh', '-c', 'sleep 1000 & sleep 1000 & sleep 1000'])
    await ended(shell)
    expect([shell.exitCode, group.pids().length, group.oomKilled()]).toEqual([2, 1, false])
    await group[Symbol.asyncDispose]()
  })
})

describe('the files of a control group', () => {
  it('get the limits that are asked for, and nothing goes to swap', () => {
    const files = ['memory.max', 'memory.swap.max', 'memory.oom.group', 'pids.max']
    for (const file of files) writeFileSync(path.join(folder, file), 'max\n')
    setLimits(folder, { memoryMaxBytes: 1024 ** 3, pidsMax: 100 })
    const values = files.map((file) => readFileSync(path.join(folder, file), 'utf8'))
    expect(values).toEqual(['1073741824', '0', '1', '100'])
  })

  it('are left alone without a limit, except that memory ends all of it', () => {
    for (const file of ['memory.max', 'memory.swap.max', 'memory.oom.group'])
      writeFileSync(path.join(folder, file), 'max')
    setLimits(folder, {})
    expect(readdirSync(folder).map((file) => readFileSync(path.join(folder, file), 'utf8'))).toEqual([
      'max',
      '1',
      'max',
    ])
  })

  it('must be there for a limit that is asked for', () => {
    expect(() => setLimits(folder, { memoryMaxBytes: 1 })).toThrow('ENOENT')
    expect(() => setLimits(folder, { pidsMax: 1 })).toThrow('ENOENT')
    expect(() => setLimits(folder, {})).not.toThrow()
  })

  it.each([
    ['low 0\nhigh 0\nmax 12\noom 1\noom_kill 0\noom_group_kill 0\n', false],
    ['low 0\nhigh 0\nmax 12\noom 1\noom_kill 3\noom_group_kill 1\n', true],
    ['', false],
  ])('tell of a kill for lack of memory: %j is %s', (events, killed) => {
    writeFileSync(path.join(folder, 'memory.events'), events)
    expect(new ControlGroup(folder, folder).oomKilled()).toBe(killed)
  })

  it('name the processes to kill one by one on a kernel without cgroup.kill, and never ourselves as 0', async () => {
    const child = start(['sleep', '1000'])
    writeFileSync(path.join(folder, 'cgroup.procs'), `0\n${pidOf(child)}\n`)
    new ControlGroup(folder, folder).kill()
    expect(await ended(child)).toBe('SIGKILL')
  })
})

describe('a reason is given where no group is delegated', () => {
  it.each([
    ['no v2 at all', '4:memory:/a\n', 'no mounted cgroup v2 shows the group of this process'],
    ['a group that no mount shows', '0::/../a\n', 'no mounted cgroup v2 shows the group of this process'],
    ['the root', '0::/\n', 'MOUNT is the root of all groups of this machine'],
    ['threads', '0::/threaded\n', 'MOUNT/threaded is of the type threaded'],
    [
      'a group that we cannot move in',
      '0::/a\n',
      'MOUNT/a is not delegated to this process (systemd: Delegate=yes): ENOENT',
    ],
  ])('%s', async (_, cgroup, reason) => {
    const mount = path.join(folder, 'mount')
    for (const group of ['.', 'a', 'threaded']) {
      mkdirSync(path.join(mount, group), { recursive: true })
      writeFileSync(path.join(mount, group, 'cgroup.procs'), `${process.pid}\n`)
    }
    writeFileSync(path.join(mount, 'a', 'cgroup.type'), 'domain\n')
    writeFileSync(path.join(mount, 'threaded', 'cgroup.type'), 'threaded\n')
    writeFileSync(path.join(folder, 'cgroup'), cgroup)
    writeFileSync(path.join(folder, 'mountinfo'), `1 0 0:1 / ${mount} rw - cgroup2 cgroup2 rw\n`)
    const answer = await ControlGroups.adopt({ proc: folder })
    expect('reason' in answer && answer.reason.replace(mount, 'MOUNT')).toContain(reason)
    expect(subgroups(path.join(mount, 'a'))).toEqual([])
  })
})

async function adopted(options: AdoptOptions): Promise<ControlGroups> {
  const groups = await ControlGroups.adopt(options)
  if (groups instanceof ControlGroups) return groups
  throw new Error(groups.reason)
}

/** In a session of its own, as the engines start them. */
function start(argv: readonly string[], stdin: 'pipe' | 'ignore' = 'ignore'): ChildProcess {
  const [program = '', ...args] = argv
  const child = spawn(program, args, { stdio: [stdin, 'ignore', 'ignore'], detached: true })
  children.push(child)
  return child
}

/** Started inside a group; settles when it is there, or has ended. */
async function startIn(
  group: string,
  argv: readonly string[] = ['sleep', '1000'],
  ends = false,
): Promise<ChildProcess> {
  const child = start(['sh', '-c', 'echo 0 > "$0/cgroup.procs" && exec "$@"', group, ...argv])
  const inside = () => groupOf(pidOf(child)) === group && nameOf(child) === argv[0]
  const over = () => (child.exitCode ?? child.signalCode) !== null
  await waitFor(() => (!ends && inside()) || over())
  return child
}

function nameOf(child: ChildProcess): string {
  const [name = ''] = readFileSync(`/proc/${pidOf(child)}/cmdline`, 'utf8').split('\0')
  return name
}

async function ended(child: ChildProcess): Promise<NodeJS.Signals | null> {
  await waitFor(() => child.exitCode !== null || child.signalCode !== null)
  return child.signalCode
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} was not started`)
  return child.pid
}

function groupOf(pid: number): string {
  const [, group = ''] = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? []
  return path.resolve(`${MOUNT}${group}`)
}

function stateOf(group: string): string[] {
  return ['cgroup.procs', 'cgroup.subtree_control'].map((file) =>
    readFileSync(path.join(group, file), 'utf8'),
  )
}

function madePlace(): boolean {
  try {
    mkdirSync(place)
    return MOUNT !== '' && !isPopulated(place) && existsSync(path.join(place, 'cgroup.type'))
  } catch {
    return false
  }
}

function controllersOfPlace(): boolean {
  const offered = readFileSync(path.join(place, 'cgroup.controllers'), 'utf8')
  return offered.includes('memory') && offered.includes('pids')
}
