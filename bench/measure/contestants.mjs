import path from 'node:path'
import process from 'node:process'
import { fileURLToPath, URL } from 'node:url'
import { main } from '../program.mjs'
import { startSshd } from './sshd.mjs'

const peer = fileURLToPath(new URL('../peer-node/main.cjs', import.meta.url))

/**
 * Returns the measured programs by name, with their arguments for the driver. Programs that are not installed are in
 * `missing`, with the reason.
 * @param {{ folder: string, go: { peer: string }, before?: string, node?: string }} options `before` is a built
 *   checkout, `node` a program that runs ours a second time
 * @returns {Promise<{ targets: Map<string, string[]>, missing: string[], stop(): Promise<void> }>}
 */
export async function contestants({ folder, go, before, node }) {
  const agent = (file, program = process.execPath) => ['agent', program, file, 'start']
  const targets = new Map([['ours', agent(main)]])
  if (before !== undefined) targets.set('before', agent(path.resolve(before, 'dist/main.js')))
  if (node !== undefined) targets.set('other node', agent(main, path.resolve(node)))
  targets.set('go', ['agent', go.peer])
  targets.set('smallest in Node', ['agent', process.execPath, peer])
  targets.set('pipe', ['pipe'])
  const sshd = await startSshd(path.join(folder, 'ssh'))
  if (sshd === undefined)
    return {
      targets,
      missing: ['ssh, ControlMaster: ssh or sshd is not installed'],
      stop: async () => undefined,
    }
  targets.set('ssh', sshd.channel)
  targets.set('ControlMaster', sshd.mux)
  return { targets, missing: [], stop: sshd.stop }
}
