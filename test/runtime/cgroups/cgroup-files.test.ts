import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { groupFolder, type Hierarchy } from '../../../src/runtime/cgroups/cgroup-files.ts'

const PID = 4711
let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mounts-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A folder as the kernel shows a group that holds the process. */
function group(...parts: readonly string[]): void {
  const place = path.join(folder, ...parts)
  mkdirSync(place, { recursive: true })
  writeFileSync(path.join(place, 'cgroup.procs'), `12\n${PID}\n`)
}

function find(hierarchy: Hierarchy, cgroup: string, mountinfo: string): string | undefined {
  writeFileSync(path.join(folder, 'cgroup'), cgroup)
  writeFileSync(path.join(folder, 'mountinfo'), mountinfo.replaceAll('$', folder))
  const found = groupFolder(hierarchy, PID, folder)
  return found === undefined ? undefined : path.relative(folder, found)
}

const hybrid =
  '31 23 0:28 / $/fs rw - tmpfs tmpfs rw\n' +
  '32 31 0:29 / $/fs/cpu rw - cgroup cgroup rw,cpu\n' +
  '35 31 0:32 / $/fs/memory rw - cgroup cgroup rw,memory\n' +
  '41 31 0:38 / $/fs/unified rw - cgroup2 cgroup2 rw\n'

describe('groupFolder', () => {
  it('finds the group of a service where only v2 is mounted', () => {
    group('fs', 'system.slice', 'a.service')
    const place = find(
      'v2',
      '0::/system.slice/a.service\n',
      '30 24 0:26 / $/fs rw shared:4 - cgroup2 cgroup2 rw\n',
    )
    expect(place).toBe('fs/system.slice/a.service')
  })

  it.each([
    ['v2', 'fs/unified/b'],
    ['v1-memory', 'fs/memory/a:b'],
  ] as const)('tells the hierarchies of a hybrid system apart: %s', (hierarchy, place) => {
    group('fs', 'unified', 'b')
    group('fs', 'memory', 'a:b')
    group('fs', 'cpu', 'a:b')
    expect(find(hierarchy, '9:name=systemd:/b\n4:cpu,memory:/a:b\n0::/b\n', hybrid)).toBe(place)
  })

  it('finds the group of a container whose mount begins at it', () => {
    group('fs')
    const place = find('v2', '0::/docker/abc\n', '30 24 0:26 /docker/abc $/fs ro - cgroup2 cgroup rw\n')
    expect(place).toBe('fs')
  })

  it('reads blanks in the path of a mount', () => {
    group('my fs', 'a')
    expect(find('v2', '0::/a\n', '30 24 0:26 / $/my\\040fs rw - cgroup2 cgroup rw\n')).toBe('my fs/a')
  })

  it('takes the mount that shows the process when another one lies over the first', () => {
    group('second', 'a')
    mkdirSync(path.join(folder, 'first', 'a'), { recursive: true })
    writeFileSync(path.join(folder, 'first', 'a', 'cgroup.procs'), '471\n14711\n')
    const mounts = '1 0 0:1 / $/first rw - cgroup2 x rw\n2 0 0:1 / $/second rw - cgroup2 x rw\n'
    expect(find('v2', '0::/a\n', mounts)).toBe('second/a')
  })

  it.each([
    ['a mount that begins above our namespace', '0::/\n', '/../..'],
    ['a group outside of our namespace', '0::/../other\n', '/'],
    ['a mount of another part of the tree', '0::/ab\n', '/a'],
    ['a group that was removed', '0::/a (deleted)\n', '/'],
    ['no group in this hierarchy', '4:memory:/\n', '/'],
  ])('finds none for %s', (_, cgroup, root) => {
    group('fs')
    expect(find('v2', cgroup, `30 24 0:26 ${root} $/fs rw - cgroup2 cgroup2 rw\n`)).toBe(undefined)
  })

  it('finds none where /proc has no such files', () => {
    expect(groupFolder('v2', PID, path.join(folder, 'none'))).toBe(undefined)
  })
})
