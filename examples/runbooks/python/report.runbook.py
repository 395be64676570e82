# Reads a password from the environment (asenv) and never prints it.
{{ .password | required "the report needs a password" | type "password" | asenv "REPORT_PASSWORD" }}
import json
import os

rows = int({{ .rows | default "3" | type "number" | pattern "^[0-9]+$" | dquote }})
print(json.dumps({
    "rows": [{"id": number, "square": number * number} for number in range(rows)],
    "password_length": len(os.environ["REPORT_PASSWORD"]),
}))
