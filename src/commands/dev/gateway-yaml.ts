/** What `dev` starts with. Made once, then it is the user's to edit. Paths are relative to the file. */
export function gatewayYaml(): string {
  return `# The embedded gateway's settings. Edit them and start again; docs/settings.md explains each one.
listen: { http: 127.0.0.1:8009, grpc: 127.0.0.1:8010 }
state: .
users:
  - { name: admin, token: file://admin.token, groups: [admin] }
agents:
  - { name: local, key: file://agent.key }
repositories:
  # The examples. Commit a change in this folder and it runs, on the connection whose path it lies in.
  - { name: examples, url: ./runbooks, branch: main }
connections:
  - name: bash
    agent: local
    command: [bash]
    env: { GREETING: hello }
    secrets: {}
    # What runs here: the files of this folder of the repository. Without \`path\`, all of them.
    runbooks: { repository: examples, path: ops/ }
  - name: python
    agent: local
    command: [python3, '-']
    runbooks: { repository: examples, path: python/ }
  # A PostgreSQL on this machine: the agent tries its port before a session starts.
  - name: postgres
    agent: local
    type: database
    subtype: postgres
    command: [psql, -v, ON_ERROR_STOP=1, -A, -P, pager=off, -h, $HOST, -U, $USER, --port=$PORT, $DB]
    # Shown in outputs, and what is replaced there. Where the server asks for no password: PASS: ''
    env: { HOST: 127.0.0.1, PORT: '5432', USER: postgres, DB: postgres }
    secrets: { PASS: postgres }
    runbooks: { repository: examples, path: sql/ }
`
}
