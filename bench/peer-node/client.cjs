// The smallest client in Node: one request to the REST API with node:http for `exec`, `run` or `sessions`, without
// any checks. Our client's cost beyond this client is our own. The remaining cost is Node's.
const { Buffer } = require('node:buffer')
const { request } = require('node:http')
const process = require('node:process')

const [, , verb, connection, what, ...parameters] = process.argv
const { HOOP_APIURL, HOOP_TOKEN } = process.env

const QUESTIONS = {
  exec: () => ['POST', '/api/sessions', { connection, script: what }],
  run: () => [
    'POST',
    '/api/runbooks/exec',
    {
      connection_name: connection,
      repository: 'bench',
      file_name: what,
      parameters: Object.fromEntries(parameters.map((pair) => pair.split('='))),
    },
  ],
  sessions: () => ['GET', '/api/sessions?limit=20'],
}

const [method, path, question] = QUESTIONS[verb]()
const body = question === undefined ? undefined : Buffer.from(JSON.stringify(question))
const headers = {
  authorization: `Bearer ${HOOP_TOKEN}`,
  connection: 'close',
  ...(body && { 'content-type': 'application/json', 'content-length': body.length }),
}
request(`${HOOP_APIURL}${path}`, { method, headers, agent: false }, (answer) => {
  const pieces = []
  answer.on('data', (piece) => pieces.push(piece))
  answer.on('end', () => {
    const text = Buffer.concat(pieces).toString()
    if (verb === 'sessions') return process.stdout.write(text)
    const { output, exit_code } = JSON.parse(text)
    process.exitCode = exit_code
    process.stdout.write(output)
  })
}).end(body)
