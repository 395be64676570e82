// The 40 runbooks of the filled site, in six folders. Each runs in well under a second, unless its text says otherwise.

/** Parameters of the runbooks, by name. All types that the form knows are here. */
const PARAMETERS = {
  order: `{{ .order | required "Which order?" | type "number" | description "number of the order" | placeholder "4711" | asenv "ORDER_NO" }}`,
  amount: `{{ .amount | required "How much?" | pattern "^[0-9]{1,6}([.][0-9]{2})?$" | description "amount in euros" | placeholder "41.30" | asenv "AMOUNT" }}`,
  reason: `{{ .reason | options "damaged" "late" "other" | default "damaged" | description "reason that the customer gave" | asenv "REASON" }}`,
  customer: `{{ .customer | required "Which customer?" | minlength "3" | maxlength "40" | description "name of the customer" | asenv "CUSTOMER" }}`,
  email: `{{ .email | required "Which address?" | type "email" | description "address of the customer" | asenv "EMAIL" }}`,
  url: `{{ .url | default "https://shop.example/health" | type "url" | description "address to ask" | asenv "TARGET_URL" }}`,
  day: `{{ .day | default "2026-11-30" | type "date" | description "day of the report" | asenv "DAY" }}`,
  time: `{{ .time | default "23:30" | type "time" | description "time in UTC" | asenv "AT_TIME" }}`,
  phone: `{{ .phone | default "+49 30 1234567" | type "tel" | description "number to call back" | asenv "PHONE" }}`,
  password: `{{ .password | required "A new password is needed." | type "password" | description "new password of the account" | asenv "NEW_PASSWORD" }}`,
  file: `{{ .file | required "Which file?" | type "file" | description "list of account numbers, one a line" | asenv "LIST" }}`,
  note: `{{ .note | default "none" | type "textarea" | description "note for the next shift" | asenv "NOTE" }}`,
  service: `{{ .service | options "api" "worker" "mail" "search" | default "worker" | description "service to act on" | asenv "SERVICE" }}`,
  version: `{{ .version | required "Which version?" | pattern "^v[0-9]+[.][0-9]+[.][0-9]+$" | description "version to roll out" | placeholder "v2.14.0" | asenv "VERSION" }}`,
  days: `{{ .days | default "14" | type "number" | pattern "^[0-9]{1,3}$" | description "number of days to look back" | asenv "DAYS" }}`,
  dry: `{{ .dry | options "yes" "no" | default "yes" | description "whether to change nothing" | asenv "DRY" }}`,
} as const

type Parameter = keyof typeof PARAMETERS

export interface Book {
  readonly file: string
  readonly title: string
  readonly parameters: readonly Parameter[]
  readonly text: string
}

const CSV = `echo "day,orders,total"
for i in $(seq 14); do printf '2026-11-%02d,%d,%d.50\\n' "$((i + 14))" "$((80 + i * 7 % 23))" "$((4000 + i * 431 % 997))"; done`
const STEPS = `echo "::group::Check"; echo "configuration is valid"; echo "::endgroup::"
echo "::group::Apply"; for i in 1 2 3; do echo "step $i of 3 on $NODE"; done; echo "::endgroup::"
printf '\\033[32mdone\\033[0m on %s\\n' "$NODE"`
const HOSTS = `echo "host,load,memory_mb,disk_percent"
for i in 1 2 3 4 5 6; do echo "web-0$i,0.$i,$((1800 + i * 97)),$((40 + i * 9))"; done`
/** Two of the six hosts fail. */
const WORKERS = `echo "stopping the workers on $NODE"
case "$NODE" in web-04 | web-06) echo "no space left on device: /var/lib/workers" >&2; exit 7 ;; esac
echo "4 workers are running on $NODE"`
const LONG = 'for i in $(seq 12); do echo "part $i of 12"; sleep 600; done'
const CERTIFICATES = `echo "new certificate for $NODE, valid until 2027-12-01"
case "$NODE" in web-03) echo "waiting for the load balancer"; sleep 3600 ;; esac`

const sql = (parameter: string, statement: string) => `\\getenv ${parameter}\n${statement}\n`
const ORDERS = `select id, customer, status, total from orders`

const BOOKS: readonly (readonly [
  file: string,
  title: string,
  description: string,
  parameters: readonly Parameter[],
  body: string,
])[] = [
  [
    'support/refund-order.runbook.sql',
    'Refund an order',
    'Gives the money back to the card. A second refund of the same order is refused.',
    ['order', 'amount', 'reason'],
    sql(
      'order ORDER_NO',
      `update orders set status = 'refunded' where id = :'order'::int returning id, customer, status, total;`,
    ),
  ],
  [
    'support/find-order.runbook.sql',
    'Find an order',
    'Shows the order and its state.',
    ['order'],
    sql('order ORDER_NO', `${ORDERS} where id = :'order'::int;`),
  ],
  [
    'support/orders-of-a-customer.runbook.sql',
    'Orders of a customer',
    'Lists the newest 50 orders of one customer.',
    ['customer'],
    sql(
      'customer CUSTOMER',
      `${ORDERS} where customer ilike '%' || :'customer' || '%' order by id desc limit 50;`,
    ),
  ],
  [
    'support/unlock-account.runbook.sh',
    'Unlock an account',
    'Opens an account that was locked after too many failed sign-ins.',
    ['email'],
    'echo "account $EMAIL is open again"',
  ],
  [
    'support/set-password.runbook.sh',
    'Set a new password',
    'The customer has to change the password at the next sign-in.',
    ['email', 'password'],
    'echo "a new password of ${#NEW_PASSWORD} characters is set for $EMAIL"',
  ],
  [
    'support/resend-mail.runbook.sh',
    'Resend a confirmation mail',
    'Sends the last confirmation again.',
    ['email'],
    'echo "queued: confirmation for $EMAIL"',
  ],
  [
    'support/call-back.runbook.sh',
    'Ask for a call back',
    'Puts the customer on the list of the phone team.',
    ['customer', 'phone', 'time', 'note'],
    'echo "call $CUSTOMER at $AT_TIME, $PHONE"; echo "$NOTE"',
  ],
  [
    'support/delete-customer.runbook.sql',
    "Delete a customer's data",
    'Deletes the personal data of one customer, and keeps the orders.',
    ['customer', 'reason'],
    sql(
      'customer CUSTOMER',
      `update orders set customer = 'deleted' where customer = :'customer' returning id;`,
    ),
  ],
  [
    'support/import-list.runbook.sh',
    'Close a list of accounts',
    'Closes all accounts of a file.',
    ['file', 'dry'],
    'printf "%s\\n" "$LIST" | wc -l',
  ],
  [
    'db/activity.runbook.sql',
    'Show running statements',
    'Longest first.',
    [],
    `select pid, state, left(query, 60) as query from pg_stat_activity where datname = current_database() order by query_start;`,
  ],
  [
    'db/table-sizes.runbook.sql',
    'Sizes of tables',
    'The 20 largest tables.',
    [],
    `select relname as table, pg_total_relation_size(oid) / 1024 as kb from pg_class where relkind = 'r' order by 2 desc limit 20;`,
  ],
  [
    'db/missing-indexes.runbook.sql',
    'Find missing indexes',
    'Tables that are read from the beginning to the end.',
    [],
    `select relname, seq_scan, idx_scan from pg_stat_user_tables order by seq_scan desc;`,
  ],
  [
    'db/vacuum.runbook.sql',
    'Clean up a table',
    'Runs VACUUM ANALYZE on orders.',
    [],
    'vacuum analyze orders;',
  ],
  [
    'db/close-day.runbook.sql',
    'Close the day',
    'Books all orders of the day.',
    ['day'],
    sql(
      'day DAY',
      `select count(*) as orders, sum(total) as total from orders where placed <= :'day'::date;`,
    ),
  ],
  [
    'db/purge-carts.runbook.sh',
    'Purge old carts',
    'Deletes carts that nobody has opened for some days.',
    ['days'],
    'echo "carts older than $DAYS days"; echo "relation carts does not exist" >&2; exit 3',
  ],
  ['db/rebuild-index.runbook.sh', 'Rebuild the search index', 'Takes two hours.', ['service'], LONG],
  [
    'db/replica-lag.runbook.sh',
    'Lag of the replicas',
    'Seconds behind the primary.',
    [],
    'echo "replica,lag_s"; echo "frankfurt,0.4"; echo "lisbon,3.9"',
  ],
  [
    'ops/restart-workers.runbook.sh',
    'Restart the payment workers',
    'Payments wait for less than a minute.',
    ['service'],
    WORKERS,
  ],
  ['ops/disk-space.runbook.sh', 'Free disk space', 'Of all file systems of the host.', [], HOSTS],
  ['ops/rotate-logs.runbook.sh', 'Rotate the logs', 'Keeps the last seven files.', ['service'], STEPS],
  [
    'ops/rotate-certificates.runbook.sh',
    'Rotate the TLS certificates',
    'One host after the other.',
    [],
    CERTIFICATES,
  ],
  ['ops/drain-host.runbook.sh', 'Drain a host', 'Takes the host out of the load balancer.', ['note'], STEPS],
  [
    'ops/check-url.runbook.sh',
    'Check an address',
    'Asks once and shows the answer.',
    ['url'],
    'echo "200 OK from $TARGET_URL"',
  ],
  [
    'ops/clock.runbook.sh',
    'Clock of the host',
    'Shows the offset from the time server.',
    [],
    'echo "offset 0.003 s on $NODE"',
  ],
  [
    'ops/flush-cache.runbook.sh',
    'Flush the cache',
    'The shop is slow for some minutes afterwards.',
    ['service', 'dry'],
    'echo "dry run: $DRY"; echo "18,204 keys"',
  ],
  [
    'ops/queue-length.runbook.sh',
    'Length of the queues',
    'Messages that wait, by queue.',
    [],
    'echo "queue,waiting"; echo "mail,12"; echo "refunds,3"; echo "search,140"',
  ],
  [
    'deploy/roll-out.runbook.sh',
    'Roll out a version',
    'Stops at the first host that fails.',
    ['version'],
    WORKERS,
  ],
  ['deploy/roll-back.runbook.sh', 'Roll back', 'To the version before.', ['service', 'note'], STEPS],
  [
    'deploy/versions.runbook.sh',
    'Versions that run',
    'By host.',
    [],
    'echo "host,version"; for i in 1 2 3 4 5 6; do echo "web-0$i,v2.13.$((i % 2))"; done',
  ],
  [
    'deploy/freeze.runbook.sh',
    'Freeze deployments',
    'Until the time that you give.',
    ['day', 'time', 'note'],
    'echo "frozen until $DAY $AT_TIME"',
  ],
  [
    'deploy/smoke-test.runbook.sh',
    'Smoke test',
    'Nine checks of the shop.',
    ['url'],
    'for i in $(seq 9); do echo "ok $i"; done',
  ],
  ['reports/orders.runbook.sh', 'Orders of a period', 'Orders and total by day.', ['days'], CSV],
  ['reports/refunds.runbook.sh', 'Refunds of a period', 'Refunds by day.', ['days', 'reason'], CSV],
  [
    'reports/customers.runbook.sql',
    'Best customers',
    'By total of their orders.',
    [],
    'select customer, count(*) as orders, sum(total) as total from orders group by customer order by 3 desc limit 25;',
  ],
  ['reports/monthly.runbook.sh', 'Monthly figures', 'For the board.', ['day', 'email'], CSV],
  [
    'reports/stock.runbook.sh',
    'Stock by warehouse',
    'What is left in each warehouse.',
    [],
    'echo "warehouse,items"; echo "Berlin,18204"; echo "Lisbon,9120"',
  ],
  [
    'security/who-signed-in.runbook.sh',
    'Sign-ins of an account',
    'The last 20.',
    ['email'],
    'echo "time,address"; echo "2026-11-30 08:12,192.0.2.17"',
  ],
  [
    'security/revoke-sessions.runbook.sh',
    'End all sign-ins of an account',
    'On all devices.',
    ['email', 'reason'],
    'echo "3 sign-ins of $EMAIL ended"',
  ],
  [
    'security/rotate-keys.runbook.sh',
    'Rotate the keys of the edge',
    'The edge restarts once.',
    ['service'],
    STEPS,
  ],
  [
    'security/open-ports.runbook.sh',
    'Open ports',
    'Of the host, with their programs.',
    [],
    'echo "port,program"; echo "22,sshd"; echo "443,nginx"',
  ],
]

export const RUNBOOKS: readonly Book[] = BOOKS.map(([file, title, description, parameters, body]) => {
  const mark = file.endsWith('.sql') ? '--' : '#'
  const head = `${mark} ${title}\n${mark}\n${mark} ${description}\n`
  const actions = parameters.map((name) => `${PARAMETERS[name]}\n`).join('')
  return { file, title, parameters, text: `${head}${actions}${body}\n` }
})

export function bookAt(file: string): Book {
  const book = RUNBOOKS.find((one) => one.file === file)
  if (book === undefined) throw new Error(`the filled site has no runbook ${file}`)
  return book
}
