import { Command } from 'commander'
import { version } from '../version.ts'
import { addTo, examples, refuseUnknownCommands, type CommandGroup, type CommandRow } from './command.ts'

type Load = () => Promise<CommandRow | CommandGroup>

const running = () => import('./running.ts')
const watching = () => import('./watching.ts')
const lookup = () => import('./lookup.ts')
const signIn = () => import('./sign-in.ts')
const operatingGateway = () => import('./gateway.ts')
const operatingAgent = () => import('./agent.ts')
const more = () => import('./more.ts')

/** Commands by the headings of the help. A heading's file is loaded only if it is needed. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  'Run:': {
    run: async () => (await running()).run,
    exec: async () => (await running()).exec,
    connect: async () => (await running()).connect,
  },
  'Watch and approve:': {
    sessions: async () => (await watching()).sessions,
    batches: async () => (await watching()).batches,
    reviews: async () => (await watching()).reviews,
  },
  'Look up:': {
    runbooks: async () => (await lookup()).runbooks,
    connections: async () => (await lookup()).connections,
    agents: async () => (await lookup()).agents,
    schedules: async () => (await lookup()).schedules,
    webhooks: async () => (await lookup()).webhooks,
    audit: async () => (await lookup()).audit,
  },
  'Sign in:': {
    login: async () => (await signIn()).login,
    logout: async () => (await signIn()).logout,
    use: async () => (await signIn()).use,
    whoami: async () => (await signIn()).whoami,
    token: async () => (await signIn()).token,
  },
  'Operate a gateway:': {
    gateway: async () => (await operatingGateway()).gateway,
    reload: async () => (await operatingGateway()).reload,
    dev: async () => (await operatingGateway()).dev,
    user: async () => (await operatingGateway()).user,
    access: async () => (await operatingGateway()).access,
    backup: async () => (await operatingGateway()).backup,
    restore: async () => (await operatingGateway()).restore,
    history: async () => (await operatingGateway()).history,
    migrate: async () => (await operatingGateway()).migrate,
  },
  'Operate an agent:': {
    start: async () => (await operatingAgent()).start,
    doctor: async () => (await operatingAgent()).doctor,
    status: async () => (await operatingAgent()).status,
    service: async () => (await operatingAgent()).service,
    'doctor-trial': async () => (await operatingAgent()).doctorTrial,
  },
  'Settings and more:': {
    config: async () => (await more()).config,
    policy: async () => (await more()).policy,
    completion: async () => (await more()).completion,
    complete: async () => (await more()).complete,
    version: async () => (await more()).showVersion,
  },
}

const NAMES = new Set(Object.values(GROUPS).flatMap((commands) => Object.keys(commands)))

const NEEDS_ALL = ['complete']

/**
 * Creates only the command that the word names, because creating all commands takes longer than most commands
 * run. For any other word, creates all commands, because the help and suggestions need them.
 */
export async function program(word: string | undefined): Promise<Command> {
  const root = new Command('runbook-agent')
    .description(
      'Run hoop.dev runbooks beside your databases: an executor agent, a gateway and a command line.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'Show the help of a command')
    .exitOverride()
    .showHelpAfterError('(--help shows the options)')
    .addHelpText(
      'after',
      examples([
        'runbook-agent dev',
        'runbook-agent login --api-url https://gateway.example',
        'runbook-agent run bash ops/hello.runbook.sh -p name=world',
        'runbook-agent sessions list --since 1d',
      ]),
    )
  const isOne = word !== undefined && NAMES.has(word) && !NEEDS_ALL.includes(word)
  for (const [heading, commands] of Object.entries(GROUPS)) {
    root.commandsGroup(heading)
    for (const [name, load] of Object.entries(commands))
      if (!isOne || name === word) addTo(root, await load())
  }
  return refuseUnknownCommands(root)
}
