/** The only line of `complete` when the shell should complete file names. */
export const FILES = ':files'

/**
 * Each script calls `runbook-agent complete -- WORDS... CURRENT`. The answer has one candidate per line: the
 * value, a tab, and a description. If a value ends in `=`, no space is added, because the user types more.
 */
const bash = `# bash completion for runbook-agent: source <(runbook-agent completion bash)
_runbook_agent() {
  local line cur prefix words IFS=$'\\n'
  # Bash splits words at = and :, which names and values here may contain.
  IFS=$' \\t\\n' read -r -a words <<< "\${COMP_LINE:0:COMP_POINT}"
  [[ "\${COMP_LINE:0:COMP_POINT}" =~ [[:space:]]$ ]] && words+=("")
  cur="\${words[\${#words[@]}-1]}"
  prefix=""
  [[ "$cur" == *[=:]* && "$COMP_WORDBREAKS" == *[=:]* ]] && prefix="\${cur%"\${cur##*[=:]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    if [[ "$line" == "${FILES}" ]]; then
      compopt -o filenames
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "\${cur##*=}")
      return
    fi
    [[ "$line" == *= ]] && compopt -o nospace
    line="\${line#"$prefix"}"
    # The whole candidate is typed already: free text follows.
    [[ -n "$line" ]] || continue
    printf -v line '%q' "$line"
    COMPREPLY+=("\${line//\\\\=/=}")
  done < <("$1" complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _runbook_agent runbook-agent
`

const zsh = `#compdef runbook-agent
# zsh completion for runbook-agent: source <(runbook-agent completion zsh), after compinit
_runbook_agent() {
  local line value
  local -a plain shown open
  while IFS= read -r line; do
    value="\${line%%$'\\t'*}"
    if [[ "$value" == "${FILES}" ]]; then
      compset -P '*='
      _files
      return
    fi
    if [[ "$value" == *= ]]; then
      open+=("$value")
    else
      plain+=("$value")
      shown+=("$value\${\${line#$value}:+  -- \${line#*$'\\t'}}")
    fi
  done < <("\${words[1]}" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( $#plain )) && compadd -l -d shown -a plain
  (( $#open )) && compadd -S '' -a open
  return 0
}
compdef _runbook_agent runbook-agent
`

const fish = `# fish completion for runbook-agent: runbook-agent completion fish | source
function __runbook_agent_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
    if test "$found[1]" = "${FILES}"
        __fish_complete_path (string replace -r '.*=' '' -- $current)
    else
        string join \\n -- $found
    end
end
complete -c runbook-agent -f -a '(__runbook_agent_complete)'
`

export const SCRIPTS = { bash, zsh, fish } as const

export type Shell = keyof typeof SCRIPTS
