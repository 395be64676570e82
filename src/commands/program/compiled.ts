import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Script } from 'node:vm'

/** The program and its packages in chunks, and packs of them, built by `scripts/compile.mjs`. */
const folder = path.resolve(__dirname, '../../compiled/program')

/** For each command: the pack with the chunks that it loads. Other commands use that of the help. */
const PACKS: Readonly<Record<string, string>> = {
  ...{ start: 'start', gateway: 'gateway', dev: 'gateway' },
  ...{ exec: 'exec', connect: 'exec', run: 'run', version: 'version' },
  ...{ sessions: 'sessions', reviews: 'sessions', connections: 'sessions', agents: 'sessions' },
}
const OTHERS = 'help'
/** The commands that run long. What they use, they use often. */
const LONG: readonly string[] = ['start', 'gateway']
/** Modules of Node that take a millisecond or more to load, and that most commands import and do not use. */
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
type Chunk = (exports: object, require: (id: string) => unknown, ...scope: readonly unknown[]) => void

/**
 * Loads the program from the pack of its command, with the code that V8 made for it at build time. A chunk that is
 * not in the pack has a file of its own. Returns undefined for a build without packs: then the program is loaded
 * file by file. Only the Node that made the code uses it, with the same V8 flags; another Node compiles the pack as
 * usual.
 */
export function compiledProgram(word: string | undefined): Program | undefined {
  const name = (Object.hasOwn(PACKS, word ?? '') ? PACKS[word ?? ''] : undefined) ?? OTHERS
  const pack = scriptOf(`${name}.js`, readIfThere(`${name}.code`)) as
    Readonly<Record<string, Chunk>> | undefined
  const file = path.join(folder, ENTRY)
  const loaded = new Map<string, { exports: object }>()

  function requireFrom(id: string): unknown {
    if (id.startsWith('./')) return load(id.slice('./'.length))
    // Packages are few. To load the module that creates the function takes most of a millisecond.
    if (!id.startsWith('node:'))
      return process.getBuiltinModule('node:module').createRequire(file)(id) as unknown
    return LATER.includes(id) && !LONG.includes(name) ? loadedLater(id) : process.getBuiltinModule(id)
  }

  function load(chunk: string): object | undefined {
    const present = loaded.get(chunk)
    if (present !== undefined) return present.exports
    const make = pack?.[chunk] ?? (scriptOf(chunk) as Chunk | undefined)
    if (make === undefined) return undefined
    const module = { exports: {} }
    loaded.set(chunk, module)
    make(module.exports, requireFrom, module, file, folder)
    return module.exports
  }

  return load(ENTRY) as Program | undefined
}

/** A module of Node that is loaded when something of it is used. */
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

/** Runs the script of this file. Returns undefined where it is missing. */
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
