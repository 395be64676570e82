import { createHash, createHmac } from 'node:crypto'

// AWS Signature Version 4 as its documentation describes it, to check what others have signed.

export interface Signed {
  readonly method: string
  readonly path: string
  /** Name and value, not escaped, without the signature. */
  readonly query: readonly (readonly [string, string])[]
  /** Those that are signed, with small letters. */
  readonly headers: Readonly<Record<string, string>>
  readonly payloadHash: string
  /** `20150830T123600Z` */
  readonly date: string
  readonly region: string
  readonly service: string
}

export const EMPTY_HASH = sha256('')

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function signature(secretKey: string, signed: Signed): string {
  const { method, path, query, headers, payloadHash, date, region, service } = signed
  const names = Object.keys(headers).sort()
  const canonical = [
    method,
    path,
    query
      .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${headers[name]?.trim() ?? ''}`),
    '',
    names.join(';'),
    payloadHash,
  ].join('\n')
  const scope = [date.slice(0, 8), region, service, 'aws4_request']
  const text = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n')
  const key = scope.reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${secretKey}`)
  return hmac(key, text).toString('hex')
}

/** The parts of a presigned URL, and the signature that it has. */
export function presigned(
  url: URL,
  extra: Readonly<Record<string, string>> = {},
): { signed: Signed; has: string } {
  const { searchParams: query } = url
  const [, date = '', region = '', service = ''] = (query.get('X-Amz-Credential') ?? '').split('/')
  const signed = {
    ...{ method: 'GET', path: url.pathname, headers: { host: url.host, ...extra }, payloadHash: EMPTY_HASH },
    ...{ query: [...query].filter(([name]) => name !== 'X-Amz-Signature'), region, service },
    date: query.get('X-Amz-Date') ?? date,
  }
  return { signed, has: query.get('X-Amz-Signature') ?? '' }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
