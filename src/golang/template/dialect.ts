import type { ByteString } from '../text/byte-string.ts'
import type { TemplateFunction } from './run/function.ts'

/** What kinds of templates differ in. */
export interface Dialect {
  readonly name: ByteString
  readonly functions: ReadonlyMap<ByteString, TemplateFunction>
}
