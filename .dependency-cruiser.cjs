// The layers of docs/architecture.md as rules: a folder may import from itself and from the folders that its row there
// names, and from nothing else.
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: to },
})
// The rooms of one folder: what each may import there, beside itself. Types count, too.
const rooms = (folder, allowed) =>
  Object.entries(allowed).map(([room, others]) => ({
    name: `${folder}-room-${room}`,
    severity: 'error',
    from: { path: `^src/${folder}/${room}(/|[.]ts)` },
    to: {
      path: `^src/${folder}/`,
      pathNot: [room, ...others].map((other) => `^src/${folder}/${other}(/|[.]ts)`),
    },
  }))
const fence = (name, module, allowed) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: allowed },
  to: { path: module },
})
const npm = (name) => `(^|/)node_modules/${name}/`

// The rooms of src/commands from the ground up. A room knows the floors below it, and no room beside it. Above these floors
// are the commands, one room each, and above all of them program/, which has the tables of the commands.
const commandFloors = [
  ['(?:exit-codes|long-running|version)[.]ts'],
  ['examination[.]ts', 'policy/', 'status[.]ts', 'client/terminal/'],
  ['gateway/', 'start/', 'client/input[.]ts'],
  ['client/report/'],
  ['client/asking/'],
  ['client/run/', 'client/stream/'],
]
const commandRooms = (rooms) => `^src/commands/(?:${rooms.join('|')})`
const sharedRooms = commandRooms(commandFloors.flat())
const commandRoom = (name, from, below) => ({
  name,
  severity: 'error',
  from,
  to: { path: '^src/commands/', pathNot: below },
})

/** The rooms of the gateway, from the ground. A room uses those of lower floors, and none of its own floor. */
const FLOORS = [
  ['tls/', 'refusals/'],
  ['identity[.]ts', 'long-work[.]ts'],
  ['handlers[.]ts'],
  ['store/'],
  ['settings/'],
  ['history/'],
  ['people/', 'runbooks/'],
  ['agents/'],
  ['sessions/'],
  ['connections/', 'jira/', 'locks/', 'reviews/', 'webhooks/'],
  ['executions/'],
  ['batches/', 'mcp/', 'schedules/'],
  ['clients/', 'rooms[.]ts'],
  ['operating/'],
  ['rest/'],
]
const floor = (room, lower) => ({
  name: `gateway-floor-${room.replace(/\W.*/, '')}`,
  comment: 'a room of the gateway uses rooms of lower floors alone; its routes stand above all rooms',
  severity: 'error',
  from: { path: `^src/gateway/${room}`, pathNot: '/routes[.]ts$' },
  to: { path: '^src/gateway/', pathNot: `^src/gateway/(${[room, ...lower].join('|')})` },
})
/** Of a room, or of a part of one. */
const ROUTES = '^src/gateway/(?!rest/).*routes[.]ts$'
const gatewayFloors = [
  ...FLOORS.flatMap((rooms, at) => rooms.map((room) => floor(room, FLOORS.slice(0, at).flat()))),
  {
    name: 'gateway-floor-routes',
    comment: "rest mounts a room's routes, which do not know how they are served",
    severity: 'error',
    from: { path: ROUTES },
    to: { path: '^src/gateway/(rest|clients|operating)/|^src/gateway/gateway[.]ts' },
  },
  {
    name: 'gateway-floor-mounted',
    comment: 'only rest mounts routes',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/gateway/rest/' },
    to: { path: ROUTES },
  },
  {
    name: 'gateway-mcp-when-needed',
    comment: 'without `mcp` in gateway.yaml, nothing of it is loaded',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/gateway/mcp/' },
    to: { path: '^src/gateway/mcp/', dependencyTypesNot: ['dynamic-import', 'type-only', 'type-import'] },
  },
  {
    name: 'gateway-floor-known',
    comment: 'a new room of the gateway needs a floor above',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^src/gateway/', pathNot: `^src/gateway/(gateway[.]ts|${FLOORS.flat().join('|')})` },
  },
]

module.exports = {
  forbidden: [
    {
      name: 'agent-product',
      comment: 'the agent is a product without code of the gateway',
      severity: 'error',
      from: { path: '^src/commands/program/agent-product[.]ts' },
      to: { path: '^src/(gateway|commands/(gateway|dev|migrate))/', reachable: true },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...['basics', 'golang'].map((ground) =>
      only(`ground-${ground}`, `^src/${ground}/`, `^src/${ground}/`, 'the ground floor knows nobody'),
    ),
    ...['wire', 'runtime', 'template', 'policy', 'operations'].map((leaf) =>
      only(`layer-1-${leaf}`, `^src/${leaf}/`, `^src/(${leaf}|basics|golang)/`),
    ),
    only('layer-2-contract', '^src/contract/', '^src/(contract|wire|basics)/'),
    only('layer-2-envvars', '^src/envvars/', '^src/(envvars|basics|golang)/'),
    only('layer-2-dial', '^src/dial/', '^src/(dial|basics|wire)/'),
    only(
      'layer-3-agent',
      '^src/agent/',
      '^src/(agent|basics|golang|wire|dial|envvars|runtime|policy|template)/',
    ),
    ...rooms('agent', {
      connection: [],
      journal: [],
      logs: [],
      output: [],
      policy: ['refused'],
      masking: ['refused'],
      opening: ['output', 'policy', 'masking', 'refused'],
      running: ['opening', 'output', 'policy', 'masking', 'journal', 'refused'],
      native: ['running', 'opening', 'output', 'policy', 'masking', 'journal', 'refused'],
      system: ['running', 'opening', 'output', 'policy', 'refused'],
    }),
    ...rooms('runtime', {
      linux: [],
      ending: ['linux', 'exit-status'],
      cgroups: ['linux', 'ending'],
      child: ['linux', 'ending', 'exit-status'],
      'output-tail': ['linux', 'ending', 'child'],
    }),
    only('layer-3-client', '^src/client/', '^src/(client|basics|wire|dial|contract)/'),
    only(
      'layer-3-gateway',
      '^src/gateway/',
      '^src/(gateway|basics|golang|wire|template|policy|operations|contract)/',
    ),
    ...gatewayFloors,
    only('layer-4', '^src/(config|log)(/|[.]ts)', '^src/(basics|config|log)(/|[.]ts)'),
    ...commandFloors.flatMap((rooms, floor) =>
      rooms.map((room) =>
        commandRoom(
          `commands-floor-${floor}-${room}`,
          { path: commandRooms([room]) },
          commandRooms([room, ...commandFloors.slice(0, floor).flat()]),
        ),
      ),
    ),
    commandRoom(
      'commands-apart',
      { path: '^src/commands/((?:client/)?[^/]+)', pathNot: [sharedRooms, '^src/commands/program/'] },
      ['^src/commands/$1', sharedRooms],
    ),
    {
      name: 'main-on-top',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main.ts|commands/)' },
      to: { path: '^src/(main.ts|commands/)' },
    },
    fence(
      'grpc-fence',
      npm('@grpc'),
      '^src/(wire/service|dial/(packet-stream|channel)|gateway/agents/(transport|packet-call))[.]ts$',
    ),
    fence('koffi-fence', npm('koffi'), '^src/runtime/linux/(posix|spawn|notify-socket|termios)[.]ts$'),
    fence('node-pty-fence', npm('node-pty'), '^src/runtime/pty[.]ts$'),
    fence('tmp-fence', npm('tmp-promise'), '^src/envvars/'),
    fence('pino-fence', npm('pino(-pretty)?'), '^src/log[.]ts'),
    fence('prom-client-fence', npm('prom-client'), '^src/operations/metrics[.]ts$'),
    fence('inquirer-fence', npm('@inquirer'), '^src/commands/client/terminal/prompts[.]ts$'),
    fence('fastify-fence', npm('(@fastify/(?!rate-limit)[^/]+|fastify)'), '^src/gateway/rest/'),
    fence(
      'rate-limit-fence',
      npm('@fastify/rate-limit'),
      '^src/gateway/people/identities/sign-in-attempts[.]ts$',
    ),
    fence('yaml-fence', npm('yaml'), '^src/(basics/settings/|commands/client/run/parameters[.]ts$)'),
    fence('aws-fence', npm('@(aws-sdk|smithy)/[^/]+'), '^src/envvars/secrets/aws/'),
    fence('croner-fence', npm('croner'), '^src/gateway/settings/due-times[.]ts$'),
    fence('diff-fence', npm('diff'), '^src/gateway/batches/comparison[.]ts$'),
    fence('oidc-fence', npm('openid-client'), '^src/gateway/people/sign-in/provider[.]ts$'),
    fence('webhook-fence', npm('standardwebhooks'), '^src/gateway/webhooks/receiver[.]ts$'),
    fence('cookie-fence', npm('cookie'), '^src/gateway/rest/page/'),
    fence('sqlite-fence', npm('libsql'), '^src/gateway/store/'),
    {
      name: 'page-apart',
      comment: 'the page knows the gateway by its REST interface alone',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^(src|test|bench|scripts)/', pathNot: '^src/contract/' },
    },
    {
      name: 'page-has-types-of-contracts-alone',
      comment: 'the page has the types of the contracts (`import type`), and no code of the gateway',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^src/contract/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-page-in-the-program',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^web/' },
    },
    { name: 'no-tests-in-src', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
}
