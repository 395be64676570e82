import path from 'node:path'

// `__dirname` instead of `import.meta`, because the build is CommonJS. With vitest the sources have both.

/** Sources and build are at the same depth in the package. */
const folder = path.resolve(__dirname, '../../..')

export const packageFiles = {
  manifest: path.join(folder, 'package.json'),
  proto: path.join(folder, 'proto/transport.proto'),
  unit: path.join(folder, 'systemd/runbook-agent.service'),
  gatewayUnit: path.join(folder, 'systemd/runbook-gateway.service'),
  runbooks: path.join(folder, 'examples/runbooks'),
  /** The built page of the gateway. */
  web: path.join(folder, 'dist/web'),
  main: path.join(folder, 'dist/main.js'),
} as const
