import type { Command } from 'commander'
import { agentFlags } from '../config.ts'

/** Adds a flag for each setting of the agent. */
export function withAgentFlags(command: Command): Command {
  for (const { flag, placeholder, description } of agentFlags) {
    command.option(placeholder === undefined ? flag : `${flag} <${placeholder}>`, description)
  }
  return command
}
