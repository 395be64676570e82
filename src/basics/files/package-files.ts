import path from 'node:path'

// `__dirname` and not `import.meta`: the build is CommonJS, and vitest gives both to the sources.

/** The folder of this package. Sources and build lie at the same depth in it. */
const folder = path.resolve(__dirname, '../../..')

/** What the program reads beside its own code. */
export const packageFiles = {
  manifest: path.join(folder, 'package.json'),
  proto: path.join(folder, 'proto/transport.proto'),
  unit: path.join(folder, 'systemd/runbook-agent.service'),
  gatewayUnit: path.join(folder, 'systemd/runbook-gateway.service'),
  runbooks: path.join(folder, 'examples/runbooks'),
  /** The page of the gateway, built. */
  web: path.join(folder, 'dist/web'),
  /** The built program. */
  main: path.join(folder, 'dist/main.js'),
} as const
