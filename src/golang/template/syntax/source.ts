import { encodeText, type ByteString } from '../../text/byte-string.ts'
import { TemplateError } from '../errors.ts'
import { MAX_TEMPLATE_BYTES } from '../limits.ts'

/** The text of a template as bytes. @throws TemplateError for one over the size limit */
export function encodeSource(source: string): ByteString {
  const bytes = encodeText(source)
  if (bytes.length <= MAX_TEMPLATE_BYTES) return bytes
  throw new TemplateError(
    'parse',
    `the template has ${bytes.length} bytes, at most ${MAX_TEMPLATE_BYTES} are allowed`,
  )
}
