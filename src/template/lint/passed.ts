import type { ByteString } from '../../golang/text/byte-string.ts'

/** Variables that shells, interpreters, loaders and clients obey: they name a file to run or load, or are code. */
const READ_AS_CODE = new RegExp(
  `^(?:${[
    'LD_.*|GCONV_PATH|PATH|IFS|ENV|SHELL|SHELLOPTS|BASHOPTS|BASH_ENV|BASH_FUNC_.*|PS[0-4]|PROMPT_COMMAND',
    'PYTHON.*|PERL5?(?:LIB|OPT|DB)|RUBY(?:LIB|OPT)|NODE_(?:OPTIONS|PATH)|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|PHPRC',
    'EDITOR|VISUAL|PAGER|.*_(?:EDITOR|PAGER)|LESSOPEN|LESSCLOSE|GIT_(?:SSH|SSH_COMMAND|ASKPASS|EXEC_PATH|CONFIG.*)',
    'SSH_ASKPASS|SUDO_ASKPASS|RSYNC_RSH|PSQLRC|PGSYSCONFDIR|PGSERVICEFILE|MYSQL_HOME|HOME',
  ].join('|')})$`,
)

/** Whether the value of a variable of this name can be code, whatever the script does with it. */
export function isReadAsCode(name: string): boolean {
  return READ_AS_CODE.test(name)
}

interface BareUse {
  readonly at: number
  readonly text: string
  /** A variable of the environment. */
  readonly variable: string
}

const GETENV = /^[ \t]*\\getenv[ \t]+(\w+)[ \t]+(\w+)/gm

/** Finds `:name` in a script of psql, for variables that the script took from the environment. */
export function bareUses(source: ByteString): readonly BareUse[] {
  const taken = new Map([...source.matchAll(GETENV)].map(([, name = '', variable = '']) => [name, variable]))
  return [...source.matchAll(/(?<![:\w]):(\w+)/g)].flatMap(({ 0: text, 1: name = '', index }) => {
    const variable = taken.get(name)
    return variable === undefined || isAside(source, index) ? [] : [{ at: index, text, variable }]
  })
}

/** Whether psql ignores `:name` here: in a comment, or between quotes that begin on the same line. */
function isAside(source: ByteString, at: number): boolean {
  const line = source.slice(source.lastIndexOf('\n', at) + 1, at)
  return line.includes('--') || line.split("'").length % 2 === 0
}
