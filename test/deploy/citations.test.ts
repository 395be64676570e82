import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root })
  .toString('utf8')
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(root, file)))
const textOf = (file: string) => readFileSync(path.join(root, file), 'utf8')

/** Section numbers of docs/protocol.md: headings, and the numbered points of section 0. */
const sections = new Set(
  [...textOf('docs/protocol.md').matchAll(/^(?:#+ |\d+\. +\*\*)(\d+(?:\.\d+)*)\.? /gm)].map(
    ([, number = '']) => number,
  ),
)
const code = files.filter((file) => /^(src|test|scripts|bench)\/.*\.(ts|mjs|go|md)$/.test(file))

function citations(file: string): readonly string[] {
  const pattern = /\bprotocol(?:\.md)?`?,? (?:section )?(\d+(?:\.\d+)*(?:(?:,| and) \d+\.\d+)*)/g
  return [...textOf(file).matchAll(pattern)].flatMap(([, numbers = '']) => numbers.split(/(?:,| and) /))
}

test('every section of the protocol that the code cites is there', () => {
  const cited = code.flatMap((file) => citations(file).map((section) => ({ file, section })))
  expect(cited.length).toBeGreaterThan(60)
  expect(cited.filter(({ section }) => !sections.has(section))).toEqual([])
})

test('no comment cites a document that is not in the repository', () => {
  const names = new Set(files.filter((file) => file.endsWith('.md')).map((file) => path.basename(file)))
  const cited = code.flatMap((file) =>
    [...textOf(file).matchAll(/\b([\w-]+\.md)\b/g)].map(([, name = '']) => ({ file, name })),
  )
  // Tests make files of their own, which are written as texts and not cited in a comment.
  const comments = cited.filter(({ file, name }) =>
    textOf(file)
      .split('\n')
      .some((line) => line.includes(name) && /^\s*(\/\/|\/?\*)/.test(line)),
  )
  expect(comments.filter(({ name }) => !names.has(name))).toEqual([])
})

test('every file that a document names is there', () => {
  // Decisions are dated: they also name what the first design had.
  const documents = files.filter((file) => /^([A-Z]+|docs\/[\w-]+|\.github\/[\w-]+)\.md$/.test(file))
  const named = documents.flatMap((document) =>
    [...textOf(document).matchAll(/`((?:[\w-]+\/)*[\w.-]+\.ts|(?:bench|scripts|test)\/[\w./-]+\.mjs)`/g)].map(
      ([, name = '']) => ({
        document,
        name,
      }),
    ),
  )
  expect(named.length).toBeGreaterThan(100)
  expect(named.filter(({ name }) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([])
})

interface Line {
  /** Folders of the line, and those of the line above it. */
  readonly folders: readonly string[]
  /** The names before the colon. */
  readonly items: readonly string[]
  readonly text: string
}

function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([\w.-]+(?:\/[\w.-]*)+|[\w-]+\.(?:ts|tsx|css))`/g)].map(([, name = '']) => name)
}

/** Lines of the list "Where is what" in docs/architecture.md. */
function linesOfTree(): readonly Line[] {
  const [, list = ''] =
    /^## Where is what\n(?:\n.*\n)\n((?: *- .*\n)+)/m.exec(textOf('docs/architecture.md')) ?? []
  const above: (readonly string[])[] = []
  return list.split('\n').map((text) => {
    const depth = Math.max(0, text.search(/\S/) / 2)
    const items = namesIn(/^ *- ((?:`[^`]+`(?:, )?)+)/.exec(text)?.[1] ?? '')
    const own = items.filter((name) => name.endsWith('/'))
    const outer = above[depth - 1] ?? []
    above[depth] = own.length === 0 ? outer : own
    return { folders: [...own, ...outer], items, text }
  })
}

function isThere(file: string): boolean {
  return existsSync(path.join(root, file))
}

const ROOMS = /^(?:src\/(?:agent|commands|gateway)|web\/src|src)\/[\w-]+\//

test('every folder and file in the list of docs/architecture.md is there, and every room is in it', () => {
  const tree = linesOfTree()
  expect(tree.length).toBeGreaterThan(50)
  const named = tree.flatMap(({ folders, text }) => namesIn(text).map((name) => ({ name, folders })))
  const lost = named.filter(
    ({ name, folders }) => !name.includes('/') && !folders.some((folder) => isThere(folder + name)),
  )
  // `routes.ts` of each room.
  expect(lost.map(({ name }) => name)).toEqual(['routes.ts'])
  const rooms = new Set(files.flatMap((file) => ROOMS.exec(file)?.[0] ?? []))
  const listed = new Set(tree.flatMap(({ items }) => items))
  expect([...rooms].filter((room) => !listed.has(room))).toEqual([])
})

test('a path that is copied from docs/architecture.md leads to its file from the root of the repository', () => {
  const [, ...text] = textOf('docs/architecture.md').split('\n## Where is what\n')
  const paths = namesIn(text.join('')).filter((name) => name.includes('/'))
  expect(paths.length).toBeGreaterThan(100)
  expect(paths.filter((name) => !isThere(name))).toEqual([])
})

/** As forges make anchors of headings. */
function anchorsOf(file: string): ReadonlySet<string> {
  const headings = [...textOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

function leadsSomewhere(from: string, target: string): boolean {
  const [name = '', anchor] = target.split('#')
  const file = name === '' ? from : path.join(path.dirname(from), name)
  if (!existsSync(path.join(root, file))) return false
  return anchor === undefined || anchorsOf(file).has(anchor)
}

test('every link between documents leads to a file, and to a heading in it', () => {
  const links = files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      [...textOf(file).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target = '']) => ({
        file,
        target,
      })),
    )
  expect(links.length).toBeGreaterThan(30)
  expect(links.filter(({ file, target }) => !leadsSomewhere(file, target))).toEqual([])
})
