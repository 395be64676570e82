import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { BATCH, BATCHES, executeInBatches } from './executions.mjs'
import { percentile } from '../samples.mjs'

/**
 * System calls whose number depends on other load of the machine, for example on coinciding events and waking
 * threads.
 */
const UNSTEADY = new Set(
  'epoll_pwait epoll_ctl futex madvise mmap munmap mprotect brk rt_sigreturn sched_yield getpid restart_syscall'.split(
    ' ',
  ),
)
const LOG_MS = 20_000

/**
 * System calls of the agent for one execution, on all of its threads; without system calls of the command.
 * @param {string} folder
 * @returns {Promise<Record<string, number>>} each call and `all`
 */
export async function countCalls(folder) {
  const log = path.join(folder, 'strace.log')
  // With -D the agent stays the child of this process and receives its signals.
  const wrapper = ['strace', '-D', '-f', '-qq', '-ttt', '-o', log]
  const marks = []
  let threads
  let pid
  await executeInBatches(folder, { wrapper }, {}, (_, { agent }) => {
    pid = agent.pid
    threads = new Set(readdirSync(`/proc/${pid}/task`))
    marks.push(Date.now() / 1000)
  })
  const batches = countIn(await whole(log, pid), threads, marks)
  const names = [...new Set(batches.flatMap((batch) => [...batch.keys()]))].sort()
  const each = names.map((name) => [
    name,
    percentile(
      batches.map((batch) => batch.get(name) ?? 0),
      50,
    ) / BATCH,
  ])
  const all =
    percentile(
      batches.map((batch) => [...batch.values()].reduce((sum, n) => sum + n, 0)),
      50,
    ) / BATCH
  return Object.fromEntries([...each.filter(([, count]) => count > 0), ['all', all]])
}

/** Returns the log when it is complete. strace writes its last lines after the agent's end. */
async function whole(log, pid) {
  const end = new RegExp(`^${pid} +[\\d.]+ (\\+\\+\\+ exited|exit_group)`, 'm')
  for (const late = Date.now() + LOG_MS; Date.now() < late; await delay(50)) {
    const text = readFileSync(log, 'utf8')
    if (end.test(text.slice(-4000))) return text
  }
  throw new Error('strace did not end')
}

/** @returns {Map<string, number>[]} the steady calls of each batch */
function countIn(text, threads, marks) {
  const batches = Array.from({ length: BATCHES }, () => new Map())
  for (const [, thread, time, name] of text.matchAll(/^(\d+) +([\d.]+) (\w+)\(/gm)) {
    const batch = batches[marks.findIndex((mark) => Number(time) < mark) - 1]
    if (batch === undefined || !threads.has(thread) || UNSTEADY.has(name)) continue
    batch.set(name, (batch.get(name) ?? 0) + 1)
  }
  return batches
}
