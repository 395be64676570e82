# Print numbers and their squares as JSON
#
# Reads its parameters from the environment (asenv). The password is never printed.
{{ .password | required "the report needs a password" | type "password" | asenv "REPORT_PASSWORD" }}
{{ .rows | default "3" | type "number" | pattern "^[0-9]+$" | asenv "REPORT_ROWS" }}
import json
import os

rows = int(os.environ["REPORT_ROWS"])
print(json.dumps({
    "rows": [{"id": number, "square": number * number} for number in range(rows)],
    "password_length": len(os.environ["REPORT_PASSWORD"]),
}))
