import { Command } from 'commander'
import { version } from '../version.ts'
import { addTo, examples, refuseUnknownCommands } from './command.ts'
import type { LoadRow, Product } from './product.ts'

const running = () => import('./running.ts')
const watching = () => import('./watching.ts')
const lookup = () => import('./lookup.ts')
const signIn = () => import('./sign-in.ts')
const administering = () => import('./administering.ts')
const operatingAgent = () => import('./agent.ts')
const more = () => import('./more.ts')

/** The commands that only the gateway has are the first of this heading. */
const OPERATE = 'Operate a gateway:'

/** Commands by the headings of the help. A heading's file is loaded only if it is needed. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, LoadRow>>>> = {
  'Run:': {
    run: async (parts) => (await running()).run(parts),
    exec: async (parts) => (await running()).exec(parts),
    connect: async () => (await running()).connect,
    mcp: async () => (await signIn()).mcp,
  },
  'Watch and approve:': {
    sessions: async () => (await watching()).sessions,
    batches: async () => (await watching()).batches,
    reviews: async () => (await watching()).reviews,
  },
  'Look up:': {
    runbooks: async (parts) => (await lookup()).runbooks(parts),
    connections: async () => (await lookup()).connections,
    agents: async () => (await lookup()).agents,
    schedules: async () => (await lookup()).schedules,
    webhooks: async () => (await lookup()).webhooks,
    audit: async (parts) => (await lookup()).audit(parts),
  },
  'Sign in:': {
    login: async () => (await signIn()).login,
    logout: async () => (await signIn()).logout,
    use: async () => (await signIn()).use,
    whoami: async () => (await signIn()).whoami,
    token: async () => (await signIn()).token,
  },
  [OPERATE]: {
    reload: async () => (await administering()).reload,
    user: async () => (await administering()).user,
    access: async () => (await administering()).access,
  },
  'Operate an agent:': {
    start: async () => (await operatingAgent()).start,
    doctor: async () => (await operatingAgent()).doctor,
    status: async () => (await operatingAgent()).status,
    service: async () => (await operatingAgent()).service,
    'doctor-trial': async () => (await operatingAgent()).doctorTrial,
  },
  'Settings and more:': {
    config: async (parts) => (await more()).config(parts),
    policy: async () => (await more()).policy,
    completion: async () => (await more()).completion,
    complete: async () => (await more()).complete,
    version: async () => (await more()).showVersion,
  },
}

const NEEDS_ALL = ['complete']

/**
 * Creates only the command that the word names, because creating all commands takes longer than most commands
 * run. For any other word, creates all commands, because the help and suggestions need them.
 */
export async function program(word: string | undefined, product: Product): Promise<Command> {
  const root = new Command('runbook-agent')
    .description(product.does)
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'Show the help of a command')
    .exitOverride()
    .showHelpAfterError('(--help shows the options)')
    .addHelpText(
      'after',
      examples([
        ...product.examples,
        'runbook-agent login --api-url https://gateway.example',
        'runbook-agent run bash ops/hello.runbook.sh -p name=world',
        'runbook-agent sessions list --since 1d',
      ]),
    )
  const groups = Object.entries(GROUPS).map(
    ([heading, commands]) =>
      [heading, heading === OPERATE ? { ...product.commands, ...commands } : commands] as const,
  )
  const isOne =
    word !== undefined &&
    !NEEDS_ALL.includes(word) &&
    groups.some(([, commands]) => Object.hasOwn(commands, word))
  for (const [heading, commands] of groups) {
    root.commandsGroup(heading)
    for (const [name, load] of Object.entries(commands))
      if (!isOne || name === word) addTo(root, await load(product.parts))
  }
  return refuseUnknownCommands(root)
}
