import { Parser } from 'yaml'

interface Token {
  readonly value?: unknown
  readonly items?: readonly { readonly key?: unknown; readonly value?: unknown }[]
}

/**
 * Whether anything in the YAML lies more than `levels` deep. To be asked before it is parsed: some thousand brackets
 * make yaml 2.9 run out of stack, which no `catch` survives (seen). This looks at the tokens with a stack of its own.
 */
export function isDeeperThan(text: string, levels: number): boolean {
  const open: { token: unknown; depth: number }[] = []
  for (const token of new Parser().parse(text)) open.push({ token, depth: 0 })
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
