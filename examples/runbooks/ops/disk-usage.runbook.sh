set -eu
# The largest entries of a folder.
folder={{ .folder | default "/var" | description "which folder" | squote }}
count={{ .count | default "5" | type "number" | pattern "^[0-9]+$" }}
du -x -d 1 "$folder" 2>/dev/null | sort -rn | head -n "$count" || true
