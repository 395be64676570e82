import { exitCodes, Failure } from '../../failure.ts'

/**
 * An address that a gateway says, whole and as it can be printed: what a terminal would obey is encoded.
 * @throws Failure for addresses that start other programs than a browser
 */
export function webLink(said: string): string {
  const url = URL.canParse(said) ? new URL(said) : undefined
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url.href
  throw new Failure('the gateway names no address of the web to sign in at', exitCodes.unreachable)
}
