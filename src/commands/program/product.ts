import type { VerifyState } from '../client/audit/verify.ts'
import type { FindConnection } from '../client/local/execution.ts'
import type { LoadGatewayFiles } from '../config.ts'
import type { LoadApprovals } from '../lint/lint.ts'
import type { CommandGroup, CommandRow } from './command.ts'

/** Code of the gateway that commands of both products use. The product of the agent refuses each use. */
export interface GatewayParts {
  readonly loadFiles: LoadGatewayFiles
  readonly findConnection: FindConnection
  readonly findApprovals: LoadApprovals
  readonly verifyState: VerifyState
}

export type LoadRow = (parts: GatewayParts) => Promise<CommandRow | CommandGroup>

/** Commands that only the product of the gateway has. */
export const GATEWAY_COMMANDS = ['gateway', 'dev', 'backup', 'restore', 'history', 'migrate'] as const
type GatewayCommand = (typeof GATEWAY_COMMANDS)[number]

/** The same sources give two products: the agent, and the gateway with everything. */
export interface Product {
  readonly does: string
  readonly examples: readonly string[]
  readonly commands: Readonly<Record<GatewayCommand, LoadRow>> | undefined
  readonly parts: GatewayParts
}
