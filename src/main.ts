#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Script } from 'node:vm'

// One file: to load another one takes most of a millisecond.

// Node opens its debugger on SIGUSR1, to every user of this machine; any script of a runbook could send this
// signal.
process.on('SIGUSR1', () => undefined)

/** Folder of the chunks and packs that `scripts/compile.mjs` builds from the program and its packages. */
const folder = path.join(__dirname, 'compiled/program')

/** For each command, the pack with the chunks that the command loads. Other commands use the pack `OTHERS`. */
const PACKS: Readonly<Record<string, string>> = {
  ...{ start: 'start', gateway: 'gateway', dev: 'gateway' },
  ...{ exec: 'exec', connect: 'exec', run: 'run', version: 'version' },
  ...{ sessions: 'sessions', reviews: 'sessions', connections: 'sessions', agents: 'sessions' },
}
const OTHERS = 'help'
/** Commands that run for a long time. They load all modules of Node directly, not by `loadedLater`. */
const LONG: readonly string[] = ['start', 'gateway']
/** Modules of Node that take at least a millisecond to load. Most commands import but do not use them. */
const LATER: readonly string[] = [
  'node:child_process',
  'node:crypto',
  'node:dns/promises',
  'node:fs/promises',
  'node:http',
  'node:timers/promises',
]
const ENTRY = 'main.js'

interface Program {
  readonly main: () => Promise<void>
}
/** A pack returns the exports of each of its chunks. */
interface Pack {
  readonly chunk?: (name: string) => object | undefined
}
type Chunk = (exports: object, require: (id: string) => unknown, ...scope: readonly unknown[]) => void

/**
 * Loads the program from the pack of its command, with the code that V8 made at build time. A chunk that is
 * not in the pack has a file of its own. Returns undefined for a build without packs; then Node loads the
 * program file by file. Only the Node that made the code, with the same V8 flags, uses the code. Another Node
 * compiles the pack as usual.
 */
function compiledProgram(word: string | undefined): Program | undefined {
  const name = (Object.hasOwn(PACKS, word ?? '') ? PACKS[word ?? ''] : undefined) ?? OTHERS
  const file = path.join(folder, ENTRY)
  const loaded = new Map<string, { exports: object }>()

  function requireFrom(id: string): unknown {
    if (id.startsWith('./')) return load(id.slice('./'.length))
    // Loads `node:module` only for a package, because to load it takes most of a millisecond.
    if (!id.startsWith('node:'))
      return process.getBuiltinModule('node:module').createRequire(file)(id) as unknown
    return LATER.includes(id) && !LONG.includes(name) ? loadedLater(id) : process.getBuiltinModule(id)
  }

  function load(chunk: string): object | undefined {
    const present = loaded.get(chunk)
    if (present !== undefined) return present.exports
    const packed = pack?.chunk?.(chunk)
    if (packed === undefined) return run(chunk)
    loaded.set(chunk, { exports: packed })
    return packed
  }

  function run(name: string, cachedData?: Buffer): object | undefined {
    const make = scriptOf(name, cachedData) as Chunk | undefined
    if (make === undefined) return undefined
    const module = { exports: {} }
    loaded.set(name, module)
    make(module.exports, requireFrom, module, file, folder)
    return module.exports
  }

  const pack = run(`${name}.js`, readIfThere(`${name}.code`)) as Pack | undefined

  return load(ENTRY) as Program | undefined
}

/** Returns a proxy that loads the module of Node at its first use. */
function loadedLater(id: string): object {
  const load = (): object => process.getBuiltinModule(id) ?? {}
  return new Proxy(
    {},
    {
      get: (_, key) => Reflect.get(load(), key) as unknown,
      has: (_, key) => Reflect.has(load(), key),
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor(_, key) {
        const property = Reflect.getOwnPropertyDescriptor(load(), key)
        return property && { ...property, configurable: true }
      },
    },
  )
}

/** Runs the script in this file. Returns undefined if the file is missing. */
function scriptOf(name: string, cachedData?: Buffer): unknown {
  const source = readIfThere(name)
  if (source === undefined) return undefined
  // V8 compares only the length of the source, so the build removes the code before it changes the file.
  const script = new Script(source.toString('latin1'), {
    filename: path.join(folder, name),
    ...(cachedData !== undefined && { cachedData }),
  })
  return script.runInThisContext()
}

function readIfThere(name: string): Buffer | undefined {
  try {
    return readFileSync(path.join(folder, name))
  } catch {
    return undefined
  }
}

const compiled = compiledProgram(process.argv[2])
void (compiled?.main() ?? import('./commands/program/main.ts').then(({ main }) => main()))
