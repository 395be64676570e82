# The largest entries of a folder
#
# The parameters are variables of the command (asenv), so that no value becomes code.
{{ .folder | default "/var" | description "which folder" | asenv "FOLDER" }}
{{ .count | default "5" | type "number" | pattern "^[0-9]+$" | asenv "COUNT" }}
set -eu
du -x -d 1 -- "$FOLDER" 2>/dev/null | sort -rn | head -n "$COUNT" || true
