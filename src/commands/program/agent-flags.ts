import type { Command } from 'commander'
import * as v from 'valibot'
import { flagOf, settings } from '../../config/table.ts'

/** Adds a flag for each setting of the agent. None of them is required. */
export function withAgentFlags(command: Command): Command {
  command.option('--config <file>', 'settings file (default: /etc/runbook-agent/agent.yaml)')
  for (const { name, kind, description, default: value, isSecret } of settings) {
    if (isSecret === true) continue
    const placeholder = v.getTitle(kind)
    const flag = placeholder === undefined ? flagOf(name) : `${flagOf(name)} <${placeholder}>`
    const suffix = placeholder === undefined || value === undefined ? '' : ` (default: ${value})`
    command.option(flag, `${description}${suffix}`)
  }
  return command
}
