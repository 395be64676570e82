import { loadEngine, type Engine } from '../../runtime/engine.ts'
import type { Finding } from './finding.ts'

/** Which engine starts commands here. The fact is its name. */
export async function checkEngine(): Promise<Finding<Engine['name']>> {
  const { name, reason } = await loadEngine()
  if (name === 'posix') return { level: 'ok', found: 'posix', fact: name }
  return {
    level: 'warning',
    found: `portable: ${reason ?? 'no reason given'}`,
    advice:
      'Commands cannot open /dev/stdin, /dev/stdout, /dev/stderr, there are no terminals, and what leaves its session stays: run on Linux with glibc 2.34 or newer',
    fact: name,
  }
}
