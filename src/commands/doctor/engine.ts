import { loadEngine, type Engine } from '../../runtime/engine.ts'
import type { Finding } from './finding.ts'

/** Which engine starts commands here. The fact is its name. */
export async function checkEngine(): Promise<Finding<Engine['name']>> {
  const { name, reason, unmarked } = await loadEngine()
  if (unmarked !== undefined)
    return {
      level: 'warning',
      found: `${name}, without marks on processes: ${unmarked}`,
      advice:
        'What leaves its session and empties its environment can stay while other commands run: leave the limit of file locks at unlimited (ulimit -x, LimitLOCKS=)',
      fact: name,
    }
  if (name === 'posix') return { level: 'ok', found: 'posix', fact: name }
  return {
    level: 'warning',
    found: `portable: ${reason ?? 'no reason given'}`,
    advice:
      'Commands cannot open /dev/stdin, /dev/stdout, /dev/stderr, there are no terminals, and what leaves its session stays: run on Linux with glibc 2.34 or newer',
    fact: name,
  }
}
