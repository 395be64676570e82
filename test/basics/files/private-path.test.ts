import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  claimFile,
  claimFolder,
  ForeignPathError,
  makeFolder,
  openToOthers,
} from '../../../src/basics/files/private-path.ts'

const isRoot = process.geteuid?.() === 0
const STRANGER = 12345
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'private-path-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const mode = (path: string) => lstatSync(path).mode & 0o777

test('a folder is made with those above it, closed to others, whatever the umask', () => {
  const before = process.umask(0)
  try {
    claimFolder(join(root, 'a', 'b'))
  } finally {
    process.umask(before)
  }
  expect([mode(join(root, 'a')), mode(join(root, 'a', 'b'))]).toEqual([0o700, 0o700])
})

test('a folder of this user is taken as it is, also through a link of this user', () => {
  mkdirSync(join(root, 'real'), { mode: 0o755 })
  symlinkSync(join(root, 'real'), join(root, 'link'))
  claimFolder(join(root, 'link'))
  expect(mode(join(root, 'real'))).toBe(0o755)
})

test.each([0o777, 0o770, 0o702])('a folder with the mode %o is refused', (bits) => {
  mkdirSync(join(root, 'open'))
  chmodSync(join(root, 'open'), bits)
  expect(() => claimFolder(join(root, 'open'))).toThrow(/open can be written to by other users/)
})

test.skipIf(!isRoot)('a folder or a link of somebody else is refused (needs root)', () => {
  mkdirSync(join(root, 'theirs'))
  chownSync(join(root, 'theirs'), STRANGER, STRANGER)
  expect(() => claimFolder(join(root, 'theirs'))).toThrow(ForeignPathError)
  expect(() => claimFolder(join(root, 'theirs'))).toThrow(/theirs belongs to uid 12345, not 0/)
})

test('what is no folder is refused, and one that cannot be made is an error', () => {
  writeFileSync(join(root, 'file'), '')
  expect(() => claimFolder(join(root, 'file'))).toThrow(/file is not a folder/)
  expect(() => makeFolder('/proc/here/not')).toThrow(/ENOENT/)
})

test('a file is closed to others; a link, and what is no file, is refused and left as it is', () => {
  const [file, link] = [join(root, 'file'), join(root, 'link')]
  expect(claimFile(file)).toBe(false)
  writeFileSync(file, '', { mode: 0o644 })
  symlinkSync(file, link)
  expect(() => claimFile(link)).toThrow(/link is a symbolic link/)
  expect(mode(file)).toBe(0o644)
  expect(claimFile(file)).toBe(true)
  expect(mode(file)).toBe(0o600)
  expect(() => claimFile(root)).toThrow(/is not a regular file/)
})

const OTHER = 23_456
test.skipIf(!isRoot).each([
  [0, 0, 0o640, true],
  [0, STRANGER, 0o640, false],
  [0, STRANGER, 0o644, true],
  [OTHER, 0, 0o640, true],
  [OTHER, STRANGER, 0o640, true],
  [STRANGER, STRANGER, 0o640, true],
  [STRANGER, STRANGER, 0o600, false],
])(
  "a file of %i's is told to user %i as open to others, with mode %i: %s (needs root)",
  (owner, user, mode, isTold) => {
    const file = join(root, 'file')
    writeFileSync(file, '')
    chownSync(file, owner, owner)
    chmodSync(file, mode)
    vi.spyOn(process, 'geteuid').mockReturnValue(user)
    try {
      expect(openToOthers('read', file) !== undefined).toBe(isTold)
    } finally {
      vi.restoreAllMocks()
    }
  },
)
