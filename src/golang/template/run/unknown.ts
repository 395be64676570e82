import type { Value } from '../../fmt/value.ts'
import type { ByteString } from '../../text/byte-string.ts'

/**
 * In a preview, the value of a parameter that is still missing, or a value that depends on one. No function and no
 * condition sees it: what is made of an Unknown is unknown, too.
 */
export class Unknown {
  /** Names of the missing parameters. */
  readonly names: readonly ByteString[]

  constructor(names: readonly ByteString[]) {
    this.names = names
  }
}

export type Evaluated = Value | Unknown

/** Returns one Unknown for all that are among the values, or undefined if all values are known. */
export function unknownAmong(values: readonly Evaluated[]): Unknown | undefined {
  const [first, ...others] = values.filter((value) => value instanceof Unknown)
  if (first === undefined || others.length === 0) return first
  return new Unknown([...new Set([first, ...others].flatMap(({ names }) => names))])
}

export function isKnown(value: Evaluated): value is Value {
  return !(value instanceof Unknown)
}
