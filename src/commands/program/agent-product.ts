import { inGatewayProduct } from '../exit-codes.ts'
import { main as runProgram } from './main.ts'
import type { Product } from './product.ts'

/**
 * The agent, its checks and its service, and the command line against a gateway. This file reaches no file of
 * the gateway, and so none of the gateway's packages: a rule in `.dependency-cruiser.cjs` checks this.
 */
export const product: Product = {
  does: 'Run hoop.dev runbooks beside your databases: an executor agent and a command line.',
  examples: ['runbook-agent start --key-file agent.key'],
  commands: undefined,
  parts: {
    loadFiles: () => refuse('a settings file of a gateway'),
    findConnection: () => refuse('--local with --config'),
    findApprovals: () => refuse('runbooks lint --gateway'),
    verifyState: () => refuse('audit verify --state'),
  },
}

export const main = () => runProgram(product)

function refuse(what: string): Promise<never> {
  return Promise.reject(inGatewayProduct(what))
}
