/** Ends each line of gateway.yaml that belongs to the examples. */
export const EXAMPLE_MARK = '# example'

/** The user who asks for the run that waits for an approval. */
export const REQUESTER = 'example-dana'
/** Repository with the runbooks of the examples, and the name of its folder. */
export const SHOP = 'example-shop'
/** Connection whose refunds need an approval. */
export const ORDERS = 'example-orders'
/** Connections of the batch. The run in Oslo fails, because there are too few teapots. */
const SHOPS = [
  { name: 'example-berlin', shop: 'Berlin', teapots: 18 },
  { name: 'example-lisbon', shop: 'Lisbon', teapots: 7 },
  { name: 'example-oslo', shop: 'Oslo', teapots: 1 },
  { name: 'example-vienna', shop: 'Vienna', teapots: 12 },
] as const
export const SHOP_NAMES = SHOPS.map(({ name }) => name)
export const SCHEDULE = 'example-nightly-stock'
export const runbooks = {
  revenue: 'example-orders/revenue.runbook.js',
  refund: 'example-orders/refund.runbook.js',
  stock: 'example-shops/stock.runbook.js',
} as const

const POSTGRES = [
  '- name: postgres',
  '  agent: local',
  '  type: database',
  '  subtype: postgres',
  '  command: [psql, -v, ON_ERROR_STOP=1, -A, -P, pager=off, -h, $HOST, -U, $USER, --port=$PORT, $DB]',
  "  # Outputs may show values of env, and never those of secrets. PASS: '' if the server asks for no password.",
  "  env: { HOST: 127.0.0.1, PORT: '5432', USER: postgres, DB: postgres }",
  '  secrets: { PASS: postgres }',
  '  runbooks: { repository: examples, path: sql/ }',
]

/** @param hasPostgres whether a PostgreSQL server has answered on this machine */
function postgresLines(hasPostgres: boolean): string {
  const told = hasPostgres
    ? '# The PostgreSQL that answered on port 5432 at the first start. Nothing was asked of it, and nothing made in it.'
    : '# For a PostgreSQL on this machine, remove the first # of each line. None answered on port 5432 at the first start.'
  return [told, ...POSTGRES.map((line) => (hasPostgres ? line : `# ${line}`))]
    .map((line) => `  ${line}`)
    .join('\n')
}

/** Returns the lines with the mark, indented as entries of a list. */
function examples(...lines: readonly string[]): string {
  return lines.map((line) => `  ${line} ${EXAMPLE_MARK}`).join('\n')
}

function shopLine({ name, shop, teapots }: (typeof SHOPS)[number]): string {
  const more = `tags: { example: shop }, env: { SHOP: ${shop}, TEAPOTS: '${teapots}' }, secrets: {}`
  return `- { name: ${name}, agent: local, command: [node, '-'], ${more}, runbooks: { repository: ${SHOP}, path: example-shops/ } }`
}

/** Returns the first gateway.yaml, which the user can edit. Its paths are relative to the file. */
export function gatewayYaml({ hasPostgres }: { readonly hasPostgres: boolean }): string {
  return `# The embedded gateway's settings. Edit them and start again; docs/settings.md explains each one.
# Lines with this end belong to the examples. "Remove the examples" on Home of the page deletes them. ${EXAMPLE_MARK}
listen: { http: 127.0.0.1:8009, grpc: 127.0.0.1:8010 }
state: .
users:
  - { name: admin, token: file://admin.token, groups: [admin] }
${examples(`- { name: ${REQUESTER}, token: file://${REQUESTER}.token }`)}
agents:
  - { name: local, key: file://agent.key }
repositories:
  # The first runbooks. Commit a change in this folder and it runs, on the connection whose path it lies in.
  - { name: examples, url: ./runbooks, branch: main }
${examples(`- { name: ${SHOP}, url: ./${SHOP}, branch: main }`)}
schedules:
${examples(`- { name: ${SCHEDULE}, cron: '0 3 * * *', connection: ${SHOP_NAMES[0]}, runbook: ${runbooks.stock}, as: admin }`)}
connections:
${examples(
  `- { name: ${ORDERS}, agent: local, command: [node, '-'], tags: { example: shop }, secrets: {}, access: { exec: false, connect: false }, runbooks: { repository: ${SHOP}, path: example-orders/, review: [{ path: ${runbooks.refund}, groups: [admin] }] } }`,
  ...SHOPS.map(shopLine),
)}
  - name: bash
    agent: local
    command: [bash]
    env: { GREETING: hello }
    secrets: {}
    # What runs here: the files of this folder of the repository. Without \`path\`, all of them.
    runbooks: { repository: examples, path: ops/ }
  - name: python
    agent: local
    command: [python3, '-']
    runbooks: { repository: examples, path: python/ }
${postgresLines(hasPostgres)}
`
}

/** Returns the settings without the lines of the examples, and all other lines unchanged. */
export function withoutExamples(yaml: string): string {
  return yaml
    .split('\n')
    .filter((line) => !line.trimEnd().endsWith(EXAMPLE_MARK))
    .join('\n')
}
