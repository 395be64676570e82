import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OomWatch, oomCounters } from '../../../src/runtime/cgroups/oom-watch.ts'

let folder: string
let counter: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'oom-'))
  counter = path.join(folder, 'memory.events')
  vi.useFakeTimers({ toFake: ['performance'] })
  kills(7)
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true })
})

function kills(count: number): void {
  writeFileSync(counter, `low 0\nhigh 0\nmax 99\noom 99\noom_kill ${count}\noom_group_kill 99\n`)
}

describe('OomWatch', () => {
  it('holds a kill that the kernel counted during an execution for the likely cause', () => {
    const watch = new OomWatch([counter])
    const mark = watch.mark()
    expect(watch.since(mark)).toBe(undefined)
    kills(8)
    expect(watch.since(mark)).toBe('likely')
  })

  it('tells each of two executions that died of it, and none that began later', () => {
    const watch = new OomWatch([counter])
    const [one, two] = [watch.mark(), watch.mark()]
    kills(9)
    expect([watch.since(one), watch.since(two)]).toEqual(['likely', 'likely'])
    expect(watch.since(watch.mark())).toBe(undefined)
  })

  it('does not blame an execution for a kill of long before', () => {
    const watch = new OomWatch([counter])
    kills(8)
    vi.advanceTimersByTime(1000)
    expect(watch.since(watch.mark())).toBe(undefined)
  })

  it('reads the counter once a second for any number of executions that begin', () => {
    const watch = new OomWatch([counter])
    kills(8)
    vi.advanceTimersByTime(999)
    expect([watch.mark(), watch.mark()]).toEqual([7, 7])
    vi.advanceTimersByTime(1)
    expect(watch.mark()).toBe(8)
  })

  it('knows nothing where the kernel counts nothing, and remembers when it can read no more', () => {
    const without = new OomWatch([path.join(folder, 'none')])
    expect([without.source, without.mark(), without.since(0)]).toEqual([undefined, 0, undefined])
    const watch = new OomWatch([counter])
    rmSync(counter)
    expect(watch.since(watch.mark())).toBe(undefined)
  })

  it('takes the first of its sources that has the number', () => {
    const old = path.join(folder, 'memory.oom_control')
    writeFileSync(old, 'oom_kill_disable 0\nunder_oom 0\n')
    expect(new OomWatch([path.join(folder, 'none'), old, counter, '/proc/vmstat']).source).toBe(counter)
  })

  it('looks for the own group of v2, then of v1, then at the machine', () => {
    const mounts = ['v2', 'v1'].map((name) => path.join(folder, name, 'a'))
    for (const place of mounts) {
      mkdirSync(place, { recursive: true })
      writeFileSync(path.join(place, 'cgroup.procs'), '4711\n')
    }
    writeFileSync(path.join(folder, 'cgroup'), '4:memory:/a\n0::/a\n')
    writeFileSync(
      path.join(folder, 'mountinfo'),
      `1 0 0:1 / ${folder}/v1 rw - cgroup cgroup rw,memory\n2 0 0:2 / ${folder}/v2 rw - cgroup2 cgroup2 rw\n`,
    )
    expect(oomCounters(4711, folder)).toEqual([
      path.join(folder, 'v2/a/memory.events'),
      path.join(folder, 'v1/a/memory.oom_control'),
      '/proc/vmstat',
    ])
  })

  it('finds a counter on this machine', () => {
    const { source } = new OomWatch()
    expect(source === undefined ? '' : readFileSync(source, 'utf8')).toMatch(/^oom_kill \d+$/m)
  })
})
