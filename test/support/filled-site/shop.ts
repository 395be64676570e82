import type { PostgresDatabase } from '../machine/databases.ts'
import type { SiteOptions } from '../sites/site.ts'
import { RUNBOOKS } from './books.ts'

// The settings of the filled site: a shop with 15 people and 20 connections.

/** Beside `admin`, whom each site has. */
export const PEOPLE = {
  'sue.lindqvist': ['support'],
  'ann.kowalski': ['support'],
  'jo.marsh': ['support', 'on-call'],
  'bea.thorsen': ['dba', 'leads'],
  'carlos.diaz': ['dba'],
  'zoe.ferri': ['dba'],
  'lena.vogt': ['leads'],
  'omar.haddad': ['ops', 'on-call'],
  'priya.nair': ['ops'],
  'tom.becker': ['ops'],
  'mia.moreau': ['reports'],
  'yuki.tanaka': ['reports', 'support'],
  'audrey.pike': ['auditor'],
  'ida.berg': ['admin'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type Person = keyof typeof PEOPLE

/** Who signs in as which role. */
export const ROLES = {
  requester: 'sue.lindqvist',
  approver: 'bea.thorsen',
  operator: 'omar.haddad',
  admin: 'ida.berg',
} as const satisfies Readonly<Record<string, Person>>

/** An agent that never connects. */
const AWAY = 'edge-lisbon'

interface Place {
  readonly name: string
  readonly kind: 'postgres' | 'shell'
  readonly review?: { readonly groups: readonly string[]; readonly all?: true }
  readonly settings?: object
}

const tags = (env: string, role: string) => ({ tags: { env, role } })
const DATABASE_RULES = { guardrails: ['no-drops'] }

/** All but `bash`, which each site has. */
export const PLACES: readonly Place[] = [
  {
    name: 'pg-shop',
    kind: 'postgres',
    review: { groups: ['dba', 'leads'] },
    settings: { ...tags('prod', 'db'), ...DATABASE_RULES, confirm: true, sessions: 'groups' },
  },
  { name: 'pg-shop-test', kind: 'postgres', settings: { ...tags('test', 'db'), ...DATABASE_RULES } },
  {
    name: 'pg-identity',
    kind: 'postgres',
    review: { groups: ['dba'] },
    settings: { ...tags('prod', 'db'), ...DATABASE_RULES, masking: ['mails'] },
  },
  {
    name: 'pg-ledger',
    kind: 'postgres',
    review: { groups: ['dba', 'leads'], all: true },
    settings: {
      ...tags('prod', 'db'),
      ...DATABASE_RULES,
      access: { groups: ['dba', 'leads', 'reports', 'admin'] },
    },
  },
  {
    name: 'pg-archive-replica-in-frankfurt',
    kind: 'postgres',
    settings: { ...tags('prod', 'db'), access: { exec: false } },
  },
  { name: 'mail-relay', kind: 'shell', settings: tags('prod', 'mail') },
  { name: 'search-01', kind: 'shell', settings: tags('prod', 'search') },
  { name: 'search-02', kind: 'shell', settings: tags('test', 'search') },
  ...[1, 2, 3, 4, 5, 6].map((number): Place => {
    return { name: `web-0${number}`, kind: 'shell', settings: tags('prod', 'web') }
  }),
  {
    name: 'bastion-eu',
    kind: 'shell',
    review: { groups: ['ops'] },
    settings: { ...tags('prod', 'bastion'), access: { groups: ['ops', 'on-call', 'support', 'admin'] } },
  },
  { name: 'cache-01', kind: 'shell', settings: tags('prod', 'cache') },
  { name: 'queue-01', kind: 'shell', settings: tags('prod', 'queue') },
  { name: 'edge-lisbon-1', kind: 'shell', settings: { ...tags('prod', 'edge'), agent: AWAY } },
  { name: 'edge-lisbon-2', kind: 'shell', settings: { ...tags('prod', 'edge'), agent: AWAY } },
]

/** Answers each script with the same table, where there is no PostgreSQL. */
const PRINTER = `cat > /dev/null; echo id,customer,status,total; seq 40 | awk '{ printf "%d,customer %d,paid,%d.50\\n", 4700 + $1, $1 % 7, 20 + $1 }'`

function connection({ name, kind, review, settings }: Place, database: PostgresDatabase | undefined): object {
  const common = { name, ...(review && { review }), ...settings }
  if (kind === 'shell') return { ...common, command: ['bash'], env: { NODE: name }, secrets: {} }
  const type = { type: 'database', subtype: 'postgres' }
  if (database === undefined) return { ...common, ...type, command: ['bash', '-c', PRINTER] }
  const { host, port, name: user, password } = database
  return {
    ...{ ...common, ...type, command: ['psql', '-X', '-q', '--csv', '-v', 'ON_ERROR_STOP=1'] },
    // The first five are for psql, the others for native clients.
    env: {
      ...{ PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: user },
      ...{ HOST: host, PORT: port, USER: user, DB: user },
    },
    secrets: { PGPASSWORD: password, PASS: password },
  }
}

/** Minutes from now on in which no schedule is due, so that the number of sessions stays as it is. */
const QUIET_HOURS = 3

/** Two of the schedules are broken: `export-ledger` has no runbook, `old-mirror` no connection. */
function schedules(now: Date): object[] {
  const cron = (after: number, minute: number) =>
    `${minute} ${(now.getUTCHours() + QUIET_HOURS + after) % 24} * * *`
  return [
    { ...scheduled('close-day', 'pg-shop-test', 'db/close-day.runbook.sql', 'ida.berg'), cron: cron(4, 50) },
    { ...scheduled('orders', 'bash', 'reports/orders.runbook.sh', 'mia.moreau'), cron: cron(2, 0) },
    { ...scheduled('disk-space', 'web-01', 'ops/disk-space.runbook.sh', 'omar.haddad'), cron: cron(6, 15) },
    { ...scheduled('purge-carts', 'queue-01', 'db/purge-carts.runbook.sh', 'ida.berg'), cron: cron(5, 30) },
    {
      ...scheduled('edge-keys', 'edge-lisbon-1', 'security/rotate-keys.runbook.sh', 'ida.berg'),
      cron: cron(8, 0),
    },
    {
      ...scheduled('export-ledger', 'bash', 'reports/export-ledger.runbook.sh', 'mia.moreau'),
      cron: cron(1, 0),
    },
    { ...scheduled('old-mirror', 'mirror-01', 'ops/clock.runbook.sh', 'omar.haddad'), cron: cron(9, 45) },
    {
      ...scheduled('smoke-test', 'bash', 'deploy/smoke-test.runbook.sh', 'tom.becker'),
      cron: cron(7, 20),
      enabled: false,
    },
  ]
}

function scheduled(name: string, connection: string, runbook: string, as: Person) {
  return { name, connection, runbook, as }
}

export function shopOptions(database: PostgresDatabase | undefined, now: Date): SiteOptions {
  return {
    connections: PLACES.map((place) => connection(place, database)),
    users: PEOPLE,
    agents: [AWAY],
    schedules: schedules(now),
    masking: [{ name: 'mails', entities: ['EMAIL_ADDRESS'] }],
    guardrails: [
      {
        name: 'no-drops',
        input: [
          {
            ...{ type: 'pattern_match', pattern_regex: '(?i)drop\\s+table' },
            message: 'Tables are dropped by migrations only.',
          },
        ],
      },
    ],
    locks: [{ name: 'index', runbooks: ['db/rebuild-index*'] }],
    limits: { 'agent-wait': '1s', 'lock-wait': '24h' },
    stopTimeout: '1s',
    runbooks: Object.fromEntries(RUNBOOKS.map(({ file, text }) => [file, text])),
  }
}
