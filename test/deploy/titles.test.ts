import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

// A title is read with the titles of its groups, in the list of failures and by `vitest -t`: joined they are a sentence.
// So the first of them names the subject: "the packet stream > sends at once while little is on the way".

const folder = fileURLToPath(new URL('..', import.meta.url))
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .sort()

/** First words of titles that name no subject. */
const NO_SUBJECT = new Set(
  [
    ['in', 'on', 'of', 'with', 'without', 'from', 'by', 'for', 'at', 'to', 'after', 'before', 'beside'],
    ['when', 'where', 'while', 'and', 'or', 'nor', 'but', 'so'],
    ['is', 'are', 'has', 'does', 'may', 'can', 'never', 'asking', 'deciding'],
  ].flat(),
)

interface Title {
  readonly isGroup: boolean
  readonly text: string
  readonly line: number
}

/** The text of a title, with the placeholders of a template; undefined if it comes from a variable. */
function textOf(node: ts.Node | undefined, file: ts.SourceFile): string | undefined {
  if (node === undefined) return undefined
  if (ts.isStringLiteral(node)) return node.text
  return ts.isTemplateLiteral(node) ? node.getText(file).slice(1, -1) : undefined
}

/** `it` of `it(...)`, `it.skipIf(...)(...)` and `it.each(...)(...)`. */
function calledName(node: ts.Expression): string | undefined {
  if (ts.isCallExpression(node) || ts.isPropertyAccessExpression(node)) return calledName(node.expression)
  if (ts.isTaggedTemplateExpression(node)) return calledName(node.tag)
  return ts.isIdentifier(node) ? node.text : undefined
}

/** Titles outside of any group. Those of functions are left out: a group may call them. */
function outerTitles(source: string): readonly Title[] {
  const file = ts.createSourceFile('a.test.ts', source, ts.ScriptTarget.Latest)
  const titles: Title[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) return
    const name = ts.isCallExpression(node) ? calledName(node.expression) : undefined
    if (!ts.isCallExpression(node) || name === undefined || !['describe', 'it', 'test'].includes(name)) {
      return ts.forEachChild(node, visit)
    }
    const text = textOf(node.arguments[0], file)
    if (text === undefined) return
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file))
    titles.push({ isGroup: name === 'describe', text, line: line + 1 })
  }
  visit(file)
  return titles
}

function problem({ isGroup, text }: Title): string | undefined {
  const [first = ''] = text.split(/[\s,:]/)
  if (NO_SUBJECT.has(first)) {
    return isGroup
      ? 'begin the title with a noun or a name of the code, of which the titles in it say something'
      : 'put the test into describe(SUBJECT, ...), or begin its title with its subject'
  }
  // All verbs of such titles end in s, and so do plural nouns.
  const endsInS = /^[a-z]*[a-rtv-z]s$/.test(first) && !['its', 'this'].includes(first)
  if (isGroup || !endsInS) return undefined
  return `put the test into describe(SUBJECT, ...); if "${first}" is a noun, write "the ${first}" or the singular`
}

describe('the title of a test', () => {
  it('begins with its subject, joined with those of its groups', () => {
    const found = files.flatMap((file) =>
      outerTitles(readFileSync(path.join(folder, file), 'utf8')).flatMap((title) => {
        const advice = problem(title)
        return advice === undefined ? [] : [`test/${file}:${title.line} '${title.text}': ${advice}`]
      }),
    )
    expect(files.length).toBeGreaterThan(400)
    expect(found).toEqual([])
  })

  it.each([
    ["it('waits for a reader', () => {})", true],
    ["it.each([1])('is %s', () => {})", true],
    ['for (const n of [1]) test(`takes ${n}`, () => {})', true],
    ["describe('in agent.yaml', () => { it('waits', () => {}) })", true],
    ["describe.each([1])('of %s', () => {})", true],
    ["describe('a stream', () => { it('waits for a reader', () => {}) })", false],
    ["describe('secrets', () => { it('are replaced', () => {}) })", false],
    ["it('a stream waits for a reader', () => {})", false],
    ["it('status asks one socket', () => {})", false],
    ["function waits() { it('waits', () => {}) }", false],
  ])('is checked: %s lacks a subject: %s', (source, lacks) => {
    expect(outerTitles(source).some((title) => problem(title) !== undefined)).toBe(lacks)
  })
})
