import { toJsonSchema } from '@valibot/to-json-schema'
import fc from 'fast-check'
import { OPERATIONS } from '../../../../src/gateway/rest/resources.ts'
import { CALLERS, KNOWN, NAMES, type Caller } from './targets.ts'

/** One request of the attack. Ids that exist are known only when it is sent. */
export interface Attack {
  readonly caller: Caller
  readonly method: string
  /** Pieces of the path, as they go on the line. */
  readonly path: readonly (string | KnownId)[]
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** The id of a session or a review that some answer has named, by its place among them. */
interface KnownId {
  readonly known: number
}

interface Shape {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Shape>>
  readonly anyOf?: readonly Shape[]
  readonly additionalProperties?: Shape
}

const NASTY = [
  ...['', ' ', '.', '..', '../../etc/passwd', '/', '//', '\\', '%', '%00', '\0', 'a\0b', '\r\n', '\u2028'],
  ...[
    "'",
    "'; DROP TABLE sessions; --",
    '"',
    '`',
    '$(id)',
    '{{',
    '{{ .x }}',
    '{{ .x | required "no" }}',
    '%s%n',
  ],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'null', 'undefined', 'NaN'],
  ...['\ud800', '\udfff', 'a\ud800b', '🙂', 'ﬃ', 'İ', '\u202e', '\ufeff', 'é'.normalize('NFD')],
  ...['-1', '0', '1e999', '9007199254740993', '18446744073709551616', '0x10', '٣', '2026-13-45T99:99:99Z'],
  ...[
    '00000000-0000-4000-8000-000000000000',
    '00000000-0000-4000-8000-00000000000',
    '-',
    '*',
    ':id',
    '@',
    '=@x',
  ],
] as const

const long = fc.constantFrom(300, 600, 3000, 70_000).map((length) => 'x'.repeat(length))

const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: long },
)

const deep: fc.Arbitrary<unknown> = fc
  .tuple(fc.constantFrom(10, 1000, 50_000), fc.boolean())
  .map(([depth, isList]) => new Raw(isList ? '['.repeat(depth) + ']'.repeat(depth) : nested(depth)))

/** JSON that no value gives: names of prototypes, numbers that are none, what is too deep to be made. */
class Raw {
  readonly json: string
  constructor(json: string) {
    this.json = json
  }
}

const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 4, arbitrary: fc.constantFrom(null, true, false, 0, -1, 1.5, 2 ** 53, [], {}, [[]], { a: {} }) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 2, arbitrary: deep },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(
        '1e400',
        '-0',
        '1'.repeat(400),
        '{"__proto__":{"a":1}}',
        '{"constructor":{"prototype":{}}}',
      )
      .map((json) => new Raw(json)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(25, 11_000).map((count) => Array.from({ length: count }, () => '')),
  },
  { weight: 1, arbitrary: fc.constantFrom(25, 11_000).map(manyFields) },
)

/** What the field may hold, most of the time, so that requests come further than the first check. */
function valueOf(name: string, shape: Shape): fc.Arbitrary<unknown> {
  const good = KNOWN[name]
  const shaped = ofShape(shape)
  const own =
    good === undefined ? shaped : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...good) }, shaped)
  return fc.oneof({ weight: 20, arbitrary: own }, { weight: 1, arbitrary: anything })
}

function ofShape({ type, properties, anyOf, additionalProperties: others }: Shape): fc.Arbitrary<unknown> {
  const [first] = anyOf ?? []
  if (first !== undefined) return ofShape(first)
  if (properties !== undefined) return ofProperties(properties)
  switch (type) {
    case 'array':
      return fc.array(text, { maxLength: 4 })
    case 'boolean':
      return fc.boolean()
    case 'object':
      return fc.dictionary(text, others?.type === undefined ? anything : text, { maxKeys: 4 })
    default:
      return text
  }
}

function ofProperties(properties: Readonly<Record<string, Shape>>): fc.Arbitrary<unknown> {
  const fields = Object.entries(properties).map(([name, shape]) => [name, valueOf(name, shape)] as const)
  const often = Object.keys(properties).filter((name) => KNOWN[name] !== undefined)
  return fc.record(Object.fromEntries(fields), { requiredKeys: often })
}

function bodyOf(shape: Shape): fc.Arbitrary<string> {
  const shaped = ofShape(shape)
  return fc.oneof(
    { weight: 12, arbitrary: shaped.map(json) },
    { weight: 3, arbitrary: anything.map(json) },
    // Cut, and with bytes of another encoding.
    { weight: 2, arbitrary: fc.tuple(shaped, fc.nat(200)).map(([value, at]) => json(value).slice(0, at)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(shaped, text, fc.nat(50))
        .map(([value, added, at]) => spliced(json(value), added, at)),
    },
    { weight: 1, arbitrary: text },
  )
}

const noBody: fc.Arbitrary<string | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: anything.map(json) },
)

const idPiece: fc.Arbitrary<string | KnownId> = fc.oneof(
  { weight: 6, arbitrary: fc.nat(400).map((known) => ({ known })) },
  { weight: 1, arbitrary: fc.uuid() },
  { weight: 2, arbitrary: text.map(encoded) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('%', '%zz', '%00', '%ff', '%c0%af', '%2F', '%2e%2e', 'a%2Fb', ';', '..', ''),
  },
)

const namePiece: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAMES, 't', 'local', 'rb') },
  { weight: 2, arbitrary: text.map(encoded) },
  { weight: 1, arbitrary: fc.constantFrom('%', '%00', '%ff', '%2F', '..', '') },
)

const HEADERS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'last-event-id': fc.constantFrom(
    '0',
    '-1',
    '1',
    '1-2',
    '99999999999999999999',
    'x',
    '',
    '0.0',
    '1e3',
    ' 1 ',
  ),
  prefer: fc.constantFrom(
    'respond-async',
    'wait=0',
    'wait=-1',
    'wait=99999999999',
    'wait=x',
    'wait',
    ';,=',
    'respond-async, wait=1',
  ),
  range: fc.constantFrom(
    'bytes=0-0',
    'bytes=-1',
    'bytes=5-1',
    'bytes=99999999999999999999-',
    'x',
    'bytes=0-1,3-4',
  ),
  'content-type': fc.constantFrom(
    'text/plain',
    'application/json; charset=utf-16',
    'x',
    '',
    'multipart/form-data',
    'a/b; c="',
  ),
  'content-encoding': fc.constantFrom('gzip', 'br', 'x'),
  accept: fc.constantFrom('*/*', 'text/html', 'x', ''),
  host: fc.constantFrom('x', '', '[::1', 'a b', '127.0.0.1:99999', 'user@host', '..'),
  expect: fc.constantFrom('100-continue', 'x'),
  'api-key': fc.constantFrom('', 'x', 'xagt-1'),
  cookie: fc.constantFrom('hoop_access_token=x', '__proto__=1', ';'),
  'if-none-match': fc.constant('*'),
  'x-forwarded-for': fc.constantFrom('x', '::1, ::1'),
  'x-forwarded-host': fc.constant('evil.example'),
  'x-http-method-override': fc.constant('DELETE'),
}

const someHeaders: fc.Arbitrary<Record<string, string>> = fc
  .subarray(Object.keys(HEADERS), { maxLength: 3 })
  .chain((names) =>
    fc.record(Object.fromEntries(names.map((name) => [name, HEADERS[name] ?? fc.constant('')]))),
  )

const headers: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: someHeaders },
)

/** Most of them get past the first door. */
const caller: fc.Arbitrary<Caller> = fc.constantFrom(...CALLERS, 'admin', 'admin', 'user', 'reviewer')

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  limit: ['0', '1', '100', '101', '-1'],
  offset: ['0', '1', '10000', '10001'],
  expand: ['event_stream', 'event_stream,session_input,resize', 'x,,'],
  event_stream: ['utf8', 'base64', 'raw-queries', ''],
  events: ['i', 'i,o,e', ','],
  extension: ['csv', 'json', '../x', 'txt'],
  'blob-type': ['session_input'],
  newline: ['1', 'x'],
  'event-time': ['1', 'x'],
  from: ['now', 'x'],
  start_date: ['2026-01-01T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z'],
  'review.status': ['PENDING', ''],
  'review.approver': ['admin', 'dba'],
  user: ['admin', '%', '_%_%_'],
  list_connections: ['true'],
  connection_name: ['plain', 'books', 'gone'],
}

function queryOf(names: readonly string[]): fc.Arbitrary<string> {
  const name = fc.oneof(fc.constantFrom(...names, 'x'), text).map(encoded)
  const pair = fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .constantFrom(...names, 'x')
        .chain((one) => optionOf(one).map((value) => `${one}=${value}`)),
    },
    { weight: 1, arbitrary: fc.tuple(name, text.map(encoded)).map(([key, value]) => `${key}=${value}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        '&',
        '=',
        '%',
        'limit=%ff',
        'a[b]=1',
        'limit[]=1',
        '__proto__=1',
        '__proto__[a]=1',
      ),
    },
  )
  return fc.array(pair, { maxLength: 3 }).map((pairs) => pairs.join('&'))
}

function optionOf(name: string): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom(...(OPTIONS[name] ?? ['x'])), text).map(encoded)
}

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'PURGE',
]

const known: fc.Arbitrary<Attack>[] = Object.entries(OPERATIONS).map(([name, { body, query = {} }]) => {
  const [method = '', path = ''] = name.split(' ')
  const pieces = path.split('/').map((piece) => pieceOf(piece))
  return fc.record({
    caller,
    method: fc.oneof({ weight: 15, arbitrary: fc.constant(method) }, fc.constantFrom(...METHODS)),
    path: fc.tuple(...pieces),
    query: queryOf(Object.keys(query)),
    headers,
    body:
      body === undefined
        ? noBody
        : bodyOf(toJsonSchema(body, { typeMode: 'output', errorMode: 'ignore' }) as Shape),
  })
})

function pieceOf(piece: string): fc.Arbitrary<string | KnownId> {
  if (piece === ':id') return idPiece
  return piece.startsWith(':') ? namePiece : fc.constant(piece)
}

/** Paths of nothing that there is. */
const unknown: fc.Arbitrary<Attack> = fc.record({
  caller,
  method: fc.constantFrom(...METHODS),
  path: fc.oneof(
    fc
      .array(fc.oneof(text.map(encoded), fc.constantFrom('', 'api', 'sessions', 'docs', 'static', '..')), {
        minLength: 1,
        maxLength: 5,
      })
      .map((pieces) => ['', ...pieces]),
    fc.constantFrom(
      ['*'],
      ['http://127.0.0.1/api/healthz'],
      ['/docs/static/../../x'],
      ['//api/sessions'],
      ['?'],
      ['api'],
    ),
  ),
  query: queryOf(['x']),
  headers,
  body: noBody,
})

export const attack: fc.Arbitrary<Attack> = fc.oneof(
  { weight: 12, arbitrary: fc.oneof(...known) },
  // Those that run something, and those that follow.
  {
    weight: 6,
    arbitrary: fc.oneof(
      ...known.filter((_, at) => /exec|POST \/api\/sessions$|review|stream|kill/.test(nameAt(at))),
    ),
  },
  { weight: 1, arbitrary: unknown },
)

function nameAt(at: number): string {
  return Object.keys(OPERATIONS)[at] ?? ''
}

/** For a URL. A lone surrogate has no encoding: its bytes are sent as they would be. */
function encoded(value: string): string {
  return value.isWellFormed() ? encodeURIComponent(value) : '%ed%a0%80'
}

function json(value: unknown): string {
  if (value instanceof Raw) return value.json
  if (Array.isArray(value)) return `[${value.map(json).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, one]) => `${JSON.stringify(name)}:${json(one)}`)
    .join(',')}}`
}

function nested(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
}

function manyFields(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, '']))
}

function spliced(target: string, added: string, at: number): string {
  return target.slice(0, at) + added + target.slice(at)
}
