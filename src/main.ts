#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { agentFlags } from './config.ts'
import type { DevFlags } from './commands/dev/dev.ts'
import { exitCodes, Failure } from './commands/failure.ts'
import type { GatewayFlags } from './commands/gateway.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Each command is loaded when it is run: the agent starts without the gateway's code. */
function program(): Command {
  const root = new Command('runbook-agent')
    .description('Runs hoop.dev runbooks beside your databases: an executor agent with an embedded gateway.')
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(--help shows the options)')
  const start = root
    .command('start', { isDefault: true })
    .description('the agent: connects to a gateway and serves until told to stop')
  for (const { flag, placeholder, description } of agentFlags) {
    start.option(placeholder === undefined ? flag : `${flag} <${placeholder}>`, description)
  }
  start.action(async (flags: Record<string, string | boolean>) =>
    (await import('./commands/start.ts')).startCommand(flags),
  )
  root
    .command('gateway')
    .description('the embedded gateway alone')
    .requiredOption('--config <file>', 'gateway.yaml')
    .option('--json', 'print one machine-readable line when ready')
    .action(async (flags: GatewayFlags) => (await import('./commands/gateway.ts')).gatewayCommand(flags))
  root
    .command('dev')
    .description('gateway, agent and example runbooks on this machine')
    .option('--http <address>', 'REST address, for example 127.0.0.1:8009')
    .option('--grpc <address>', 'agent address, for example 127.0.0.1:8010')
    .option('--state <folder>', 'where token, keys, settings and history are kept', 'state')
    .option('--json', 'print one machine-readable line when ready')
    .action(async (flags: DevFlags) => (await import('./commands/dev/dev.ts')).devCommand(flags))
  root
    .command('version')
    .description('print the version')
    .action(() => void process.stdout.write(`${version}\n`))
  return root
}

/** One line for what a person can put right; a stack only for a bug. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  if (error instanceof Failure) {
    process.stderr.write(`runbook-agent: ${error.message}\n`)
    return error.exitCode
  }
  process.stderr.write(
    `runbook-agent: this is a bug, please report it:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  return exitCodes.bug
}

// Node opens its debugger on SIGUSR1, to every user of this machine; any script of a runbook could send it.
process.on('SIGUSR1', () => undefined)

try {
  await program().parseAsync()
  process.exitCode = exitCodes.done
} catch (error) {
  // At once: whatever still runs belongs to a program that has failed.
  process.exit(report(error))
}
