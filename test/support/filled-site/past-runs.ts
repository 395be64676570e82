import type { NewSession, RecordedEnd } from '../../../src/gateway/history/session.ts'
import { beginLine, endLine } from '../../../src/gateway/sessions/statements/lines.ts'
import { bookAt, RUNBOOKS, type Book } from './books.ts'
import type { Chance } from './chance.ts'
import { pastReview } from './past-reviews.ts'
import { PAST_DAYS, type Output, type PastOptions, type PastSession } from './past-session.ts'
import { PEOPLE, PLACES, type Person } from './shop.ts'

interface End {
  readonly exitCode?: number
  readonly code?: string
  readonly by?: Person
  readonly guardrails?: string
  /** Outputs at the end. */
  readonly text?: string
}

const BROKEN_RULE = JSON.stringify([
  {
    ...{ rule_name: 'no-drops', direction: 'input', matched_words: ['(?i)drop\\s+table'] },
    rule: { type: 'pattern_match', pattern_regex: '(?i)drop\\s+table' },
    message: 'Tables are dropped by migrations only.',
  },
])

/** Each of these ends is there as often as it is listed; all other sessions have succeeded. */
const ENDS: readonly (readonly [count: number, end: End])[] = [
  [9, { exitCode: 1, text: 'connection to server failed: timeout expired\n' }],
  [7, { exitCode: 7, text: 'no space left on device: /var/lib/workers\n' }],
  [3, { exitCode: 127, text: 'bash: line 4: jqq: command not found\n' }],
  [3, { exitCode: 137, text: 'Killed\n' }],
  [4, { exitCode: 143, code: 'session-killed', by: 'omar.haddad' }],
  [3, { exitCode: 254, code: 'timeout' }],
  [1, { exitCode: 254, code: 'output-limit' }],
  [4, { exitCode: 254, guardrails: BROKEN_RULE }],
  [2, { exitCode: 254, code: 'refused', text: 'the parameter contains a NUL byte\n' }],
  [2, { code: 'client-left' }],
  [1, { exitCode: 254, code: 'lock-busy' }],
  [3, { exitCode: 254, code: 'agent-offline' }],
  [1, { exitCode: 254, code: 'agent-silent' }],
  [2, { exitCode: 254, code: 'agent-lost' }],
  [1, { exitCode: 254, code: 'agent-stopping' }],
  [1, { exitCode: 254, code: 'gateway-stopped' }],
  [1, { exitCode: 254, code: 'gateway-lost' }],
]

/** Ends of sessions that waited for approval and never ran. */
const UNAPPROVED = [
  ...Array.from({ length: 6 }, () => 'rejected' as const),
  ...Array.from({ length: 4 }, () => 'withdrawn' as const),
  ...Array.from({ length: 3 }, () => 'expired' as const),
  'revoked' as const,
]

const DAY_MS = 86_400_000
/** Share of the kinds; the others are runbooks. */
const KINDS = { script: 0.2, terminal: 0.06, native: 0.04 }

export function plannedRuns(options: PastOptions, count: number): PastSession[] {
  const { chance } = options
  const ends = ENDS.flatMap(([often, end]) => Array.from({ length: often }, () => end))
  return Array.from({ length: count }, (_, at) => {
    const startedAt = someTime(options)
    const unapproved = UNAPPROVED[at]
    if (unapproved !== undefined) return reviewed(options, startedAt, unapproved)
    const end = ends[at - UNAPPROVED.length] ?? { exitCode: 0 }
    if (end.exitCode !== 0 || chance.fraction() > 0.1) return plain(options, startedAt, end)
    return reviewed(options, startedAt, 'executed')
  })
}

/**
 * At working hours more often than at night, and on working days more often than at weekends. The day alone decides
 * how often the seed is asked, so that two sites of one day are alike.
 */
function someTime({ chance, now }: PastOptions): Date {
  const midnight = Math.floor(now.getTime() / DAY_MS) * DAY_MS
  for (;;) {
    const at = new Date(midnight + (chance.fraction() - chance.between(0, PAST_DAYS - 1)) * DAY_MS)
    const isWeekend = at.getUTCDay() % 6 === 0
    const isNight = at.getUTCHours() < 6 || at.getUTCHours() > 18
    if (chance.fraction() > (isWeekend ? 0.25 : 1) * (isNight ? 0.15 : 1)) continue
    return at.getTime() < now.getTime() - 3_600_000 ? at : new Date(at.getTime() - DAY_MS)
  }
}

function plain(options: PastOptions, startedAt: Date, end: End): PastSession {
  const { chance } = options
  const kind = chance.fraction()
  const open = PLACES.filter(({ review }) => review === undefined)
  const databases = open.filter((place) => place.kind === 'postgres')
  const isNative = kind < KINDS.native && end.exitCode === 0
  const isTerminal = !isNative && kind < KINDS.native + KINDS.terminal && end.guardrails === undefined
  const { name: connection } = chance.one(isNative ? databases : open)
  const user = chance.one(Object.keys(PEOPLE).filter((name) => name !== 'audrey.pike')) as Person
  const common = { ...ids(options), connection, user, startedAt }
  if (isNative) return native(options, common)
  if (isTerminal) return terminal(options, common, end)
  const isScript = end.guardrails !== undefined || kind < KINDS.native + KINDS.terminal + KINDS.script
  const session = isScript
    ? scriptSession(common, end.guardrails === undefined ? chance.one(SCRIPTS) : 'drop table orders;')
    : runbookSession(options, common, bookFor(chance, connection))
  return ended(options, session, end)
}

const SCRIPTS = [
  'df -h | head',
  'systemctl status worker --no-pager | tail -20',
  'journalctl -u api --since "10 minutes ago" | grep -i error',
  'select count(*) from orders where status = $$paid$$;',
  'for host in web-01 web-02; do ping -c1 $host; done',
]

function bookFor(chance: Chance, connection: string): Book {
  const isDatabase = connection.startsWith('pg-')
  return chance.one(RUNBOOKS.filter(({ file }) => file.endsWith('.sql') === isDatabase))
}

type Ids = Pick<NewSession, 'id' | 'metadata'>
export type Common = Ids & Pick<NewSession, 'connection' | 'user' | 'startedAt'>

export function ids({ chance }: Pick<PastOptions, 'chance'>): Ids {
  return { id: chance.uuid(), metadata: {} }
}

function typeOf(connection: string): Pick<NewSession, 'connectionType' | 'connectionSubtype'> {
  return connection.startsWith('pg-')
    ? { connectionType: 'database', connectionSubtype: 'postgres' }
    : { connectionType: 'custom' }
}

function scriptSession(common: Common, text: string): NewSession {
  const type = typeOf(common.connection)
  return {
    ...{ ...common, ...type, origin: 'client-api', verb: 'exec', labels: {} },
    ...{ script: Buffer.from(text), scriptSize: text.length },
  }
}

export function runbookSession({ chance, commit }: PastOptions, common: Common, book: Book): NewSession {
  const parameters = Object.fromEntries(book.parameters.map((name) => [name, valueOf(chance, name)]))
  const text = book.text.replaceAll(/^\{\{.*\n/gm, '\n')
  return {
    ...{ ...common, ...typeOf(common.connection), origin: 'client-api-runbooks', verb: 'exec' },
    ...{ script: Buffer.from(text), scriptSize: text.length },
    labels: {
      ...{
        runbookFile: book.file,
        runbookTitle: book.title,
        runbookCommit: commit,
        runbookRepository: 'books',
      },
      runbookParameters: JSON.stringify(parameters),
    },
  }
}

/** Values of parameters whose values the history does not have, as the gateway writes them. */
const SECRET = '[not recorded]'

export function valueOf(chance: Chance, name: Book['parameters'][number]): string {
  const values = {
    ...{ order: String(chance.between(4700, 5099)), amount: `${chance.between(5, 250)}.00` },
    ...{ reason: chance.one(['damaged', 'late', 'other']), customer: `customer ${chance.between(1, 40)}` },
    ...{ email: `kim${chance.between(1, 40)}@example.test`, url: 'https://shop.example/health' },
    ...{ day: `2026-11-${chance.between(10, 30)}`, time: '23:30', phone: '+49 30 1234567' },
    ...{ password: SECRET, file: SECRET, note: 'Disk of web-06 is nearly full.\nAsk Omar first.' },
    ...{ service: chance.one(['api', 'worker', 'mail', 'search']), version: `v2.14.${chance.between(0, 9)}` },
    ...{ days: chance.one(['7', '14', '30']), dry: chance.one(['yes', 'no']) },
  } satisfies Record<Book['parameters'][number], string>
  return values[name]
}

function ended(
  { chance }: PastOptions,
  session: NewSession,
  { exitCode, code, by, guardrails, text }: End,
  beganAfterMs = 300,
): PastSession {
  const beganAt = new Date(session.startedAt.getTime() + beganAfterMs)
  const ms = exitCode === 0 ? chance.between(80, 9000) : chance.between(500, 240_000)
  const seconds = ms / 1000
  return {
    session,
    end: {
      ...{ exitCode, truncatedBytes: code === 'output-limit' ? 4096 : 0 },
      ...(guardrails === undefined && { beganAt }),
      endedAt: new Date(beganAt.getTime() + ms),
      ...(code !== undefined && { cause: { code, ...(by !== undefined && { by }) } }),
      ...(guardrails !== undefined && { guardrails }),
    },
    outputs: [
      ...(guardrails === undefined ? outputOf(chance, session, seconds) : []),
      ...(text === undefined ? [] : [{ text, seconds, isStderr: true }]),
    ],
  }
}

function outputOf(chance: Chance, { labels, connection }: NewSession, seconds: number): Output[] {
  if (labels['runbookFile']?.startsWith('reports/') === true || connection.startsWith('pg-')) {
    const rows = Array.from({ length: chance.between(3, 40) }, (_, row) => {
      return `${4700 + row},customer ${chance.between(1, 40)},${chance.one(['paid', 'open'])},${chance.between(20, 300)}.50\n`
    })
    return [{ text: `id,customer,status,total\n${rows.join('')}`, seconds: seconds / 2 }]
  }
  const lines = chance.between(1, 60)
  return Array.from({ length: lines }, (_, line) => {
    return { text: `step ${line + 1} of ${lines} on ${connection}\n`, seconds: (seconds * line) / lines }
  })
}

function reviewed(
  options: PastOptions,
  startedAt: Date,
  how: 'executed' | 'rejected' | 'withdrawn' | 'expired' | 'revoked',
): PastSession {
  const { chance } = options
  const place = chance.one(PLACES.filter(({ review }) => review !== undefined))
  const user = chance.one(['sue.lindqvist', 'ann.kowalski', 'jo.marsh', 'yuki.tanaka'] as const)
  const book =
    place.kind === 'postgres' ? bookAt('support/refund-order.runbook.sql') : bookFor(chance, place.name)
  const session = runbookSession(options, { ...ids(options), connection: place.name, user, startedAt }, book)
  const waitedMs = how === 'expired' ? DAY_MS : chance.between(1, 45) * 60_000
  const { review, end } = pastReview(chance, { session, place, waitedMs, how })
  if (how === 'executed') return { ...ended(options, session, { exitCode: 0 }, waitedMs + 1500), review }
  return { session, end, outputs: [], review }
}

function terminal(options: PastOptions, common: Common, end: End): PastSession {
  const session: NewSession = {
    ...{ ...common, ...typeOf(common.connection), origin: 'client', verb: 'connect', labels: {} },
    script: Buffer.alloc(0),
  }
  const prompt = `${common.user.split('.')[0] ?? 'user'}@${common.connection}:~$ `
  const shown = { ...ended(options, session, end), outputs: [] }
  const line = (text: string, seconds: number): Output => ({ text, seconds })
  return {
    ...shown,
    outputs: [
      { kind: 'r', text: '120x32', seconds: 0 },
      line(prompt, 0.2),
      line('uptime\r\n 09:14:02 up 41 days,  load average: 0.31, 0.28, 0.24\r\n', 1.4),
      line(`${prompt}df -h /var\r\n/dev/sda1   40G   38G  2.0G  95% /var\r\n`, 3.1),
      line(`${prompt}exit\r\n`, 5),
    ],
  }
}

function native(options: PastOptions, common: Common): PastSession {
  const { chance } = options
  const session: NewSession = {
    ...{ ...common, ...typeOf(common.connection), origin: 'client', verb: 'connect', labels: {} },
    ...{ isPort: true, script: Buffer.alloc(0) },
  }
  const statements = Array.from({ length: chance.between(4, 30) }, (_, at): Output[] => {
    const isWrong = chance.fraction() < 0.1
    const query = isWrong
      ? 'select * from orderz'
      : `select * from orders where id = ${chance.between(4700, 5099)}`
    const rows = chance.between(0, 400)
    const ms = chance.between(2, 4000) / 10
    const end = {
      outcome: 'done' as const,
      ms,
      rows: isWrong ? undefined : rows,
      error: isWrong ? '42P01' : undefined,
      errorText: isWrong ? 'relation "orderz" does not exist' : undefined,
    }
    return [
      { text: beginLine('1', query), seconds: at * 2 },
      { text: endLine('1', end), seconds: at * 2 + ms / 1000 },
    ]
  })
  const endedAt = new Date(common.startedAt.getTime() + statements.length * 2000 + 4000)
  const end: RecordedEnd = { exitCode: 0, truncatedBytes: 0, beganAt: common.startedAt, endedAt }
  return { session, end, outputs: statements.flat() }
}
