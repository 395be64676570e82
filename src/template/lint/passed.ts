import type { ByteString } from '../../golang/text/byte-string.ts'

interface BareUse {
  readonly at: number
  readonly text: string
  /** A variable of the environment. */
  readonly variable: string
}

const GETENV = /^[ \t]*\\getenv[ \t]+(\w+)[ \t]+(\w+)/gm

/** Finds `:name` in a script of psql, for variables that the script took from the environment. */
export function bareUses(source: ByteString): readonly BareUse[] {
  const taken = new Map([...source.matchAll(GETENV)].map(([, name = '', variable = '']) => [name, variable]))
  return [...source.matchAll(/(?<![:\w]):(\w+)/g)].flatMap(({ 0: text, 1: name = '', index }) => {
    const variable = taken.get(name)
    return variable === undefined || isAside(source, index) ? [] : [{ at: index, text, variable }]
  })
}

/** Whether psql ignores `:name` here: in a comment, or between quotes that begin on the same line. */
function isAside(source: ByteString, at: number): boolean {
  const line = source.slice(source.lastIndexOf('\n', at) + 1, at)
  return line.includes('--') || line.split("'").length % 2 === 0
}
