import { Command } from 'commander'
import { version } from '../version.ts'
import { addTo, examples, refuseUnknownCommands, type CommandGroup, type CommandRow } from './command.ts'

type Load = () => Promise<CommandRow | CommandGroup>

const running = () => import('./running.ts')
const approvals = () => import('./approvals.ts')
const lookup = () => import('./lookup.ts')
const accounts = () => import('./accounts.ts')
const operating = () => import('./operating.ts')
const agent = () => import('./agent.ts')
const more = () => import('./more.ts')

/** The commands, by the headings below which the help shows them. The tables are loaded when they are needed. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  'Run and watch:': {
    run: async () => (await running()).run,
    exec: async () => (await running()).exec,
    connect: async () => (await running()).connect,
    sessions: async () => (await import('./sessions.ts')).sessions,
    batches: async () => (await approvals()).batches,
    reviews: async () => (await approvals()).reviews,
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
    login: async () => (await accounts()).login,
    logout: async () => (await accounts()).logout,
    use: async () => (await accounts()).use,
    token: async () => (await accounts()).token,
  },
  'Operate a gateway:': {
    gateway: async () => (await operating()).gateway,
    dev: async () => (await operating()).dev,
    user: async () => (await accounts()).user,
    access: async () => (await accounts()).access,
    backup: async () => (await operating()).backup,
    restore: async () => (await operating()).restore,
    history: async () => (await operating()).history,
    migrate: async () => (await operating()).migrate,
  },
  'Operate an agent:': {
    start: async () => (await agent()).start,
    doctor: async () => (await agent()).doctor,
    status: async () => (await operating()).status,
    service: async () => (await operating()).service,
    'doctor-trial': async () => (await operating()).doctorTrial,
  },
  'Settings and more:': {
    config: async () => (await agent()).config,
    policy: async () => (await more()).policy,
    completion: async () => (await more()).completion,
    complete: async () => (await more()).complete,
    version: async () => (await more()).showVersion,
  },
}

const NAMES = new Set(Object.values(GROUPS).flatMap((commands) => Object.keys(commands)))

/** Commands that look at the other commands. */
const NEEDS_ALL = ['complete']

/**
 * The program with the command of this name alone: to make all of them takes longer than most commands do. With another
 * word, or none, the program has all commands: for the help, and for the name that was probably meant.
 */
export async function program(word: string | undefined): Promise<Command> {
  const root = new Command('runbook-agent')
    .description(
      'Run hoop.dev runbooks beside your databases: an executor agent, a gateway and a command line.',
    )
    .version(version, '-V, --version')
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
