import type * as Yaml from 'yaml'

/** The package, loaded with the first file that is read: most agents start without one, and it takes a twelfth of that. */
export function yaml(): typeof Yaml {
  return require('yaml') as typeof Yaml
}

/** Settings are 5 levels deep. */
export const DEEPEST = 20

export interface SettingsYaml {
  readonly contents: Yaml.Node | null
  /** Only codes: yaml's messages quote the file, secrets included. If there are any, `contents` is of no use. */
  readonly wrong: readonly { readonly code: string; readonly offset: number }[]
}

/**
 * Reads a settings file. Every scalar stays the text that is in the file (the failsafe schema). Duplicate names are found
 * later, because yaml compares each name with all others.
 * @returns undefined when anything lies more than `DEEPEST` deep
 */
export function readYaml(text: string, lineCounter: Yaml.LineCounter): SettingsYaml | undefined {
  if (isDeeperThan(text, DEEPEST)) return undefined
  const options = { lineCounter, prettyErrors: false, resolveKnownTags: false, uniqueKeys: false } as const
  const { contents, errors, warnings } = yaml().parseDocument(text, { ...options, schema: 'failsafe' })
  return { contents, wrong: [...errors, ...warnings].map(({ code, pos: [offset] }) => ({ code, offset })) }
}

interface Token {
  readonly value?: unknown
  readonly items?: readonly { readonly key?: unknown; readonly value?: unknown }[]
}

/**
 * Whether anything in the YAML is nested more than `levels` deep. Ask before parsing: with some thousand brackets yaml
 * 2.9 runs out of stack, which no `catch` survives (seen). This looks at the tokens with a stack of its own.
 */
function isDeeperThan(text: string, levels: number): boolean {
  const open: { token: unknown; depth: number }[] = []
  for (const token of new (yaml().Parser)().parse(text)) open.push({ token, depth: 0 })
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next
    if (depth > levels) return true
    if (typeof token !== 'object' || token === null) continue
    const { value, items = [] } = token as Token
    open.push({ token: value, depth })
    for (const item of items) {
      open.push({ token: item.key, depth: depth + 1 }, { token: item.value, depth: depth + 1 })
    }
  }
  return false
}
