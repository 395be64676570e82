# Greet a person
#
# Shows the four ways in which a runbook gets its input.
{{ .name | required "whom to greet is required" | description "whom to greet" | pattern "^[A-Za-z ]+$" | asenv "NAME" }}
echo "$GREETING, $NAME"                 # a variable of the connection, and a parameter
echo "argument: ${1:-none}"             # client_args
if [ -n "${SECRET_FILE:-}" ]; then      # filesystem: in env_vars is the path of a file
  echo "secret file: $(stat -c '%a' "$SECRET_FILE" 2>/dev/null || echo there), $(wc -c < "$SECRET_FILE" | tr -d ' ') bytes"
fi
