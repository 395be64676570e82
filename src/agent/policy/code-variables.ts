import { PolicyRefusal, quotedName } from './refusal.ts'

/**
 * Variables by which the loader, a shell or an interpreter runs other code than the program's own, whatever the program
 * is: `filesystem:LD_PRELOAD` would bring a library of its own. PATH is not among them, since it changes only what the
 * program itself looks for.
 */
const CODE_VARIABLES = new RegExp(
  `^(?:${[
    'LD_.*|DYLD_.*|GCONV_PATH|BASH_ENV|ENV|BASH_FUNC_.*|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|ZDOTDIR',
    'PYTHON(?:PATH|HOME|STARTUP|WARNINGS|BREAKPOINT|USERBASE|PLATLIBDIR|EXECUTABLE)|PERL5?(?:LIB|OPT|DB)',
    'RUBY(?:LIB|OPT)|NODE_(?:OPTIONS|PATH)|JAVA_TOOL_OPTIONS|J[DR]K_JAVA_OPTIONS|_JAVA_OPTIONS',
    'PHPRC|PHP_INI_SCAN_DIR|LUA_(?:INIT|PATH|CPATH).*',
  ].join('|')})$`,
  's',
)

/** @param names of variables, alone or as entries (`filesystem:NAME`) @throws PolicyRefusal */
export function refuseCodeVariables(names: Iterable<string>): void {
  for (const entry of names) {
    const name = entry.slice(entry.indexOf(':') + 1)
    if (CODE_VARIABLES.test(name))
      throw new PolicyRefusal('policy.programs', `the variable ${quotedName(name)}`)
  }
}
