import { main as runProgram } from './main.ts'
import type { Product } from './product.ts'

const commands = () => import('./gateway.ts')

/** The whole program, as `npm start` runs it. */
export const product: Product = {
  does: 'Run hoop.dev runbooks beside your databases: an executor agent, a gateway and a command line.',
  examples: ['runbook-agent dev'],
  commands: {
    gateway: async () => (await commands()).gateway,
    dev: async () => (await commands()).dev,
    backup: async () => (await commands()).backup,
    restore: async () => (await commands()).restore,
    history: async () => (await commands()).history,
    migrate: async () => (await commands()).migrate,
  },
  parts: {
    loadFiles: () => import('../gateway/settings-file.ts'),
    findConnection: async (name, config) =>
      (await import('../gateway/local-connection.ts')).configuredConnection(name, config),
    findApprovals: async (file) => (await import('../gateway/list-approvals.ts')).listApprovals(file),
    verifyState: async (state, expect) =>
      (await import('../gateway/audit-state.ts')).verifyAuditOfState(state, expect),
  },
}

export const main = () => runProgram(product)
