import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'

const SSHD = '/usr/sbin/sshd'
/** Folder that sshd requires if root starts it. The package creates this folder only when its service starts. */
const PRIVILEGES = '/run/sshd'
const TRIES = 100

/**
 * Starts sshd on a free port of the loopback, with temporary keys, and a ControlMaster to it.
 * @param {string} folder
 * @returns {Promise<{ channel: string[], mux: string[], stop(): Promise<void> } | undefined>} targets for the driver;
 * undefined if ssh or sshd is not installed
 */
export async function startSshd(folder) {
  if (!existsSync(SSHD) || !existsSync('/usr/bin/ssh')) return undefined
  mkdirSync(folder, { mode: 0o700 })
  const madeFolder = process.getuid() === 0 && !existsSync(PRIVILEGES)
  if (madeFolder) mkdirSync(PRIVILEGES, { mode: 0o755 })
  const port = await freePort()
  const key = makeKeys(folder)
  writeFileSync(path.join(folder, 'config'), config(folder, port))
  const children = []
  process.once('exit', () => {
    for (const child of children) if (child.pid) child.kill()
    if (madeFolder) rmdirSync(PRIVILEGES)
  })
  const daemon = spawn(SSHD, ['-D', '-e', '-f', path.join(folder, 'config')], { stdio: 'ignore' })
  children.push(daemon)
  const master = await connectMaster(folder, port, key)
  children.push(master)
  const stop = async () => {
    await end(master)
    await noChildren(daemon)
    await end(daemon)
  }
  const { username } = userInfo()
  return {
    channel: ['ssh', `127.0.0.1:${port}`, username, key, String(daemon.pid)],
    mux: ['mux', '-S', path.join(folder, 'master'), '-p', String(port), `${username}@127.0.0.1`],
    stop,
  }
}

/**
 * Waits until sshd has reaped its children. Otherwise they would stay as zombies on a machine whose process 1 does
 * not reap.
 */
async function noChildren({ pid }) {
  for (let tries = 0; tries < TRIES; tries++) {
    if (readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') === '') return
    await delay(50)
  }
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  if (child.pid) child.kill()
  await ended
}

function makeKeys(folder) {
  const [host, key] = ['host', 'key'].map((name) => path.join(folder, name))
  for (const file of [host, key]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
  writeFileSync(path.join(folder, 'allowed'), readFileSync(`${key}.pub`), { mode: 0o600 })
  return key
}

// Commands have their own home folder, because otherwise the startup files of the user's shell would be measured too.
function config(folder, port) {
  return `Port ${port}
ListenAddress 127.0.0.1
HostKey ${folder}/host
AuthorizedKeysFile ${folder}/allowed
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxSessions 1000
SetEnv HOME=${folder}
`
}

async function connectMaster(folder, port, key) {
  const socket = path.join(folder, 'master')
  const options = ['StrictHostKeyChecking=no', `UserKnownHostsFile=${folder}/known`, 'BatchMode=yes']
  const args = ['-F', 'none', '-M', '-N', '-S', socket, '-i', key, '-p', String(port)]
  const target = `${userInfo().username}@127.0.0.1`
  for (let tries = 0; tries < TRIES; tries++) {
    const master = spawn('ssh', [...args, ...options.flatMap((option) => ['-o', option]), target], {
      stdio: 'ignore',
    })
    const ended = new Promise((resolve) => master.once('exit', () => resolve(true)))
    // ssh ends if sshd does not listen yet. It is connected when its socket exists.
    while (!existsSync(socket) && !(await Promise.race([ended, delay(50)])));
    if (existsSync(socket)) return master
  }
  throw new Error('ssh could not connect to sshd')
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
