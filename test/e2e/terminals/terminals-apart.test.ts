import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { describe, expect, it } from 'vitest'

/**
 * Run as somebody who is not root, since root may everything: two commands of one agent, the victim on a terminal. What
 * the second one can get hold of is what the kernel lets a process of the same user do.
 */
const scene = `
  import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
  import { loadEngine } from './dist/runtime/engine.js'
  import { execute } from './dist/runtime/execution.js'
  const engine = await loadEngine()
  engine.guard()
  const path = process.env.PATH
  const command = (argv) => ({ argv: argv.map((word) => Buffer.from(word)), environment: [Buffer.from('PATH=' + path)], path, cwd: process.cwd(), stdin: Buffer.alloc(0) })
  const options = { graceMs: 500, instance: crypto.randomUUID(), marker: 'MARKER=x' }
  const terminal = { cols: 80, rows: 24 }
  const victim = await execute(engine, command(['sh', '-c', 'tty; read line; echo "typed: $line"']), { ...options, terminal })
  const shown = victim.output[Symbol.asyncIterator]()
  const tty = String((await shown.next()).value.data).trim()
  const attacker = await execute(engine, command([process.execPath, '--input-type=module', '-e', process.argv[1], String(process.pid), tty, String(victim.pid)]), process.argv[2] === 'terminal' ? { ...options, terminal } : options)
  let report = ''
  for await (const { data } of attacker.output) report += data
  await attacker.exit
  victim.type(Buffer.from('by its user\\n'))
  let rest = ''
  for (let next = await shown.next(); !next.done; next = await shown.next()) rest += next.value.data
  await victim.exit
  console.log(JSON.stringify({ report: JSON.parse(report), rest }))
`

const attack = `
  import koffi from 'koffi'
  import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs'
  const [agent, tty, victim] = process.argv.slice(1)
  const libc = koffi.load('libc.so.6')
  const syscall = libc.func('long syscall(long number, long a, long b, long c)')
  const ioctl = libc.func('int ioctl(int fd, unsigned long request, ...)')
  // Looked up only after it was read: what V8 asks of the system in between sets it anew.
  const names = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]))
  const errno = (result) => {
    const number = koffi.errno()
    return result >= 0 ? 'done' : (names.get(number) ?? number)
  }
  const attempt = (act) => { try { return act() } catch (error) { return error.code } }
  const targets = (pid) => readdirSync('/proc/' + pid + '/fd').map((fd) => attempt(() => readlinkSync('/proc/' + pid + '/fd/' + fd)))
  const masters = (list) => list.filter((target) => /ptmx/.test(target))
  const everybody = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
  const pidfd = syscall(434, Number(agent), 0, 0)
  const stolen = []
  for (let fd = 0; fd < 64; fd++) stolen.push(errno(syscall(438, pidfd, fd, 0)))
  const slave = attempt(() => openSync(tty, 'r+'))
  console.log(JSON.stringify({
    own: masters(targets('self')),
    agentsDescriptors: attempt(() => targets(agent)),
    opened: attempt(() => openSync('/proc/' + agent + '/fd/20', 'r+')),
    agentsMemory: attempt(() => openSync('/proc/' + agent + '/mem', 'r')),
    anybodys: everybody.flatMap((pid) => attempt(() => masters(targets(pid))) ?? []).filter((one) => /ptmx/.test(one)),
    pidfdGetfd: [...new Set(stolen)],
    ptrace: errno(syscall(101, 0x4206, Number(agent), 0)),
    typeIntoIt: typeof slave === 'number' ? errno(ioctl(slave, 0x5412, 'char *', Buffer.from('x'))) : slave,
    makeItMine: typeof slave === 'number' ? errno(ioctl(slave, 0x540e, 'int', 0)) : slave,
    masterOfIt: typeof slave === 'number' ? errno(ioctl(slave, 0x80045430, 'void *', Buffer.alloc(4))) : slave,
  }))
`

/** Nobody else's: the attack looks at all that the user runs. */
const user = String(randomInt(1_000_000, 2_000_000_000))
const as = ['--reuid', user, '--regid', user, '--clear-groups', process.execPath]
const canRun =
  process.arch === 'x64' &&
  process.getuid?.() === 0 &&
  spawnSync('setpriv', [...as, 'dist/main.js', 'version']).status === 0

describe.skipIf(!canRun)(
  'a command cannot get at the terminal of another session (needs root and setpriv, x64)',
  () => {
    it.each(['pipes', 'terminal'])('with %s of its own', (kind) => {
      const ran = spawnSync('setpriv', [...as, '--input-type=module', '-e', scene, attack, kind], {
        encoding: 'utf8',
        timeout: 20_000,
      })
      expect(ran.stderr).toBe('')
      const { report, rest } = JSON.parse(ran.stdout) as { report: Record<string, unknown>; rest: string }
      expect(report).toEqual({
        own: [],
        agentsDescriptors: 'EACCES',
        opened: 'EACCES',
        agentsMemory: 'EACCES',
        anybodys: [],
        pidfdGetfd: ['EPERM'],
        ptrace: 'EPERM',
        typeIntoIt: 'EPERM',
        makeItMine: 'EPERM',
        masterOfIt: 'ENOTTY',
      })
      expect(rest).toMatch(/typed: by its user\r\n$/)
    })
  },
)
