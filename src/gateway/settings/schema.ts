import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { choice, duration, size, truth } from '../../basics/settings/kinds.ts'
import { checkBranch } from '../runbooks/git/branch.ts'
import { parseRemote } from '../runbooks/git/url.ts'
import { parseAddress } from '../../basics/net/address.ts'
import { entries, entryName, json, list, map, matching, parsed } from '../../basics/settings/shapes.ts'

// The shape of gateway.yaml. Every scalar arrives as a text (tree.ts), null is a value left empty. Messages say
// what is accepted and never what was found there: it may be a secret.

const Name = matching(
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
  'a name of 1 to 100 letters, digits, dots, underscores or hyphens',
)
const Word = matching(/^[^\0]*$/, `a text ('' for an empty one) without NUL characters`)
const FilePath = matching(/^[^\0]+$/, 'a path')
const VARIABLE = '[A-Za-z_][A-Za-z0-9_]*'
const VariableName = entryName(new RegExp(`^${VARIABLE}$`), 'a name of letters, digits and underscores')
const SecretName = entryName(
  new RegExp(`^(envvar|filesystem):${VARIABLE}$`),
  'envvar:NAME or filesystem:NAME',
)

/** Go's decoder, which the agent must agree with, wants the padding and skips line breaks (protocol.md 5.5). */
const Base64 = parsed((written) => {
  const joined = written.replaceAll(/[\r\n]/g, '')
  const isWhole = joined.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(joined)
  return isWhole ? joined : undefined
}, 'base64 with its padding')

/** A token or key, or its hash: only the hash goes on from here. */
const SecretHash = v.pipe(
  parsed((written) => {
    const [, hash] = /^sha256:([0-9a-fA-F]{64})$/.exec(written) ?? []
    if (hash !== undefined) return Buffer.from(hash, 'hex')
    if (written.startsWith('sha256:') || !/^[\x21-\x7e]{16,4096}$/.test(written)) return undefined
    return createHash('sha256').update(written).digest()
  }, 'a secret of at least 16 printable characters without spaces, or sha256: and its hash in 64 hexadecimal digits,'),
  json({ writeOnly: true }),
)

const ServerAddress = parsed(parseAddress, 'host:port, like 127.0.0.1:8009 or [::1]:8009,')

/** Whether `check` throws; its error quotes what it refuses, which must not show here. */
function passes(check: () => unknown): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}

/** Here a local path is known by its beginning: a bare word may be anything, a misplaced secret for instance. */
function isRepository(url: string): boolean {
  return (
    passes(() => parseRemote(url)) &&
    (parseRemote(url).kind !== 'local' || /^(\.{0,2}(\/|$)|file:)/i.test(url))
  )
}

const RepositoryUrl = parsed(
  (url) => (isRepository(url) ? url : undefined),
  'a path that begins with ./ or ../ or /, a url (https, ssh) or user@host:path',
)
const BranchName = parsed(
  (branch) => (passes(() => checkBranch(branch)) ? branch : undefined),
  'the name of a branch',
)
const RunbooksPath = parsed((path) => {
  const isInside = !path.startsWith('/') && !path.split('/').includes('..')
  return isInside && !/[\p{Cc}\\]/u.test(path) ? path.replace(/^(\.\/+)+|^\.$/, '') : undefined
}, 'a path inside the repository, without a leading slash or ..,')

const ListenShape = map({
  http: v.nullish(ServerAddress, '127.0.0.1:8009'),
  grpc: v.nullish(ServerAddress, '127.0.0.1:8010'),
  'allow-remote': v.nullish(truth, 'false'),
})

const UserShape = map({
  name: Name,
  token: SecretHash,
  groups: v.nullish(list(Name, 'group names'), []),
})

const AgentShape = map({ name: Name, key: SecretHash })

const RepositoryShape = map({
  name: Name,
  url: RepositoryUrl,
  branch: v.nullish(BranchName),
  refresh: v.nullish(duration('0s', '20d')),
})

const AccessShape = map({
  runbooks: v.nullish(truth, 'true'),
  exec: v.nullish(truth, 'true'),
  connect: v.nullish(truth),
  'client-input': v.nullish(truth),
  'client-escapes': v.nullish(choice({ block: 'block', allow: 'allow' })),
  groups: v.nullish(v.pipe(list(Name, 'group names'), v.minLength(1, 'at least one group is expected'))),
})

const ConnectionShape = map({
  name: Name,
  agent: Name,
  type: v.nullish(Name, 'custom'),
  subtype: v.nullish(Name),
  command: v.pipe(
    list(Word, 'texts, the program and its arguments,'),
    v.check(([program]) => program !== undefined && program !== '', 'a program is expected first'),
  ),
  env: entries(VariableName, Word),
  files: entries(VariableName, FilePath),
  secrets: entries(SecretName, Base64),
  runbooks: v.nullish(map({ repository: Name, path: v.nullish(RunbooksPath, '') })),
  access: v.nullish(AccessShape, {}),
})

const LimitsShape = map({
  wait: v.nullish(duration('100ms', '1h'), '50s'),
  'agent-wait': v.nullish(duration('0s', '1h'), '15s'),
  body: v.nullish(size('1KiB', '16MiB'), '16MiB'),
  output: v.nullish(size('1KiB', '110MiB'), '110MiB'),
})

/** The whole file. */
export const SettingsShape = map({
  listen: v.nullish(ListenShape, {}),
  state: v.nullish(FilePath, './state'),
  users: v.nullish(list(UserShape, 'users'), []),
  agents: v.nullish(list(AgentShape, 'agents'), []),
  repositories: v.nullish(list(RepositoryShape, 'repositories'), []),
  connections: v.nullish(list(ConnectionShape, 'connections'), []),
  limits: v.nullish(LimitsShape, {}),
  history: v.nullish(
    map({
      retain: v.nullish(duration('1m', '36500d'), '30d'),
      size: v.nullish(size('64MiB', '1048576GiB'), '10GiB'),
    }),
    {},
  ),
})

export type SettingsShape = v.InferOutput<typeof SettingsShape>
export type ConnectionShape = SettingsShape['connections'][number]
