import path from 'node:path'
import process from 'node:process'
import { main } from '../program.mjs'
import { startSshd } from './sshd.mjs'

/**
 * Who is measured, by name: the arguments that tell the driver. What is not installed is in `missing`, with the reason.
 * @param {{ folder: string, go: { peer: string }, before?: string }} options `before` is a built checkout
 * @returns {Promise<{ targets: Map<string, string[]>, missing: string[], stop(): Promise<void> }>}
 */
export async function contestants({ folder, go, before }) {
  // As the unit, the image and `npm start` start it: with larger young generations bulk output is often slower.
  const agent = (file) => ['agent', process.execPath, '--max-semi-space-size=1', file, 'start']
  const targets = new Map([['ours', agent(main)]])
  if (before !== undefined) targets.set('before', agent(path.resolve(before, 'dist/main.js')))
  targets.set('go', ['agent', go.peer])
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
