/**
 * Variables that make any program run foreign code, through the loader, a shell, an interpreter or a library:
 * `LD_PRELOAD` loads a library, and `OPENSSL_CONF` loads one in every program with TLS. PATH is missing,
 * because it changes only programs that are started by name.
 */
const LOADING = named(
  'LD_.*|DYLD_.*|GCONV_PATH|LOCPATH|NLSPATH|OPENSSL_.*|SSLKEYLOGFILE|GIO_.*MODULE.*',
  'BASH_.*|ENV|SHELLOPTS|BASHOPTS|PS[0-4]|PROMPT_COMMAND|ZDOTDIR|FPATH',
  'PYTHON.*|PERL.*|RUBY.*|GEM_(?:HOME|PATH)|BUNDLE_.*|NODE_(?:OPTIONS|PATH|REPL_.*)|LUA_.*|PHPRC|PHP_INI_SCAN_DIR',
  'JAVA_TOOL_OPTIONS|J[DR]K_JAVA_OPTIONS|_JAVA_OPTIONS|CLASSPATH|DOTNET_STARTUP_HOOKS|COR(?:ECLR)?_.*|ERL_.*|TCLLIBPATH',
)

/** Variables that some program reads as code, as options, or as the name of a file with code. */
const OBEYED = named(
  // Bash evaluates the values of these variables as arithmetic.
  'RANDOM|SRANDOM|SECONDS|LINENO|HISTCMD|OPTIND',
  'PATH|CDPATH|IFS|SHELL|HOME|XDG_.*|TERMCAP|TERMINFO.*|INPUTRC|HISTFILE|BROWSER|TMPDIR',
  'EDITOR|VISUAL|PAGER|.*_(?:EDITOR|PAGER|ASKPASS|RSH|SSH|OPTIONS|OPTS|FLAGS)|LESS.*|MAN.*OPT|VIMINIT|EXINIT|MYVIMRC',
  'GIT_.*|RSYNC_.*|SUDO_.*|SSH_.*|TAR_OPTIONS|XZ_OPT|ZIPOPT|UNZIP|GZIP|.?MAKEFLAGS|GOFLAGS|HGRCPATH|CURL_HOME|.*WGETRC',
  'PSQLRC|PG(?:SYSCONFDIR|SERVICE.*|PASSFILE|SSL.*|OPTIONS)|MYSQL_HOME|LIBMYSQL_.*|REDISCLI_RCFILE',
  'KUBECONFIG|DOCKER_.*|AWS_(?:CONFIG_FILE|SHARED_CREDENTIALS_FILE|CREDENTIAL.*)|ANSIBLE_.*|(?:npm|NPM)_(?:config|CONFIG)_.*|PIP_.*|CARGO_.*',
)

function named(...patterns: readonly string[]): RegExp {
  return new RegExp(`^(?:${patterns.join('|')})$`, 's')
}

export function loadsCode(name: string): boolean {
  return LOADING.test(name)
}

/** Whether the variable's value can be code for the programs that a script starts. */
export function isReadAsCode(name: string): boolean {
  return LOADING.test(name) || OBEYED.test(name)
}
