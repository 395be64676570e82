import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sha256, signature } from './signature-v4.ts'
import { raw } from './vault-server.ts'

export const ACCESS_KEY = 'AKIDEXAMPLE'
export const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'

export interface AwsRequest {
  readonly target: string
  readonly body: string
  readonly authorization: string
}

/**
 * AWS Secrets Manager (GetSecretValue) and STS (AssumeRole) for tests, as their API references describe them. Takes
 * requests that are signed with the key above, and no others.
 */
export class AwsServer implements AsyncDisposable {
  readonly requests: AwsRequest[] = []
  /** `SecretString` by id. */
  readonly secrets: Record<string, string> = {}
  answer: ((request: AwsRequest, response: ServerResponse) => void) | undefined
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  static async start(): Promise<AwsServer> {
    const aws = new AwsServer()
    await new Promise<void>((resolve) => aws.#server.listen(0, '127.0.0.1', resolve))
    return aws
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What an agent has in its environment to reach this server. */
  get variables(): Readonly<Record<string, string>> {
    return {
      ...{ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY },
      ...{ AWS_ENDPOINT_URL: this.address, AWS_EC2_METADATA_DISABLED: 'true', AWS_SESSION_TOKEN: '' },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces).toString()
    const { authorization = '' } = request.headers
    const asked = { target: String(request.headers['x-amz-target']), body, authorization }
    this.requests.push(asked)
    response.on('error', () => undefined)
    if (this.answer !== undefined) this.answer(asked, response)
    else if (authorization !== expected(request, body))
      failure(response, 'InvalidSignatureException', 'bad signature')
    else if (body.startsWith('Action=AssumeRole')) raw(response, 200, ASSUMED, { 'Content-Type': 'text/xml' })
    else this.#secret(body, response)
  }

  #secret(body: string, response: ServerResponse): void {
    const { SecretId } = JSON.parse(body) as { SecretId: string }
    const SecretString = this.secrets[SecretId]
    if (SecretString === undefined)
      return failure(
        response,
        'ResourceNotFoundException',
        "Secrets Manager can't find the specified secret.",
      )
    raw(response, 200, JSON.stringify({ ARN: 'arn', Name: SecretId, SecretString }), JSON_11)
  }
}

const JSON_11 = { 'Content-Type': 'application/x-amz-json-1.1', 'x-amzn-RequestId': 'R' }

export function failure(response: ServerResponse, name: string, message: string, status = 400): void {
  raw(response, status, JSON.stringify({ __type: name, message }), JSON_11)
}

/** The header that a request should have, from its own list of signed headers. */
function expected({ method = '', url = '', headers }: IncomingMessage, body: string): string {
  const [, region = '', service = '', names = ''] =
    /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+)/.exec(
      headers.authorization ?? '',
    ) ?? []
  const date = String(headers['x-amz-date'])
  const signed = Object.fromEntries(names.split(';').map((name) => [name, String(headers[name])]))
  const parts = {
    method,
    path: url,
    query: [],
    headers: signed,
    payloadHash: sha256(body),
    date,
    region,
    service,
  }
  const scope = `${ACCESS_KEY}/${date.slice(0, 8)}/${region}/${service}/aws4_request`
  return `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${names}, Signature=${signature(SECRET_KEY, parts)}`
}

const ASSUMED = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>secret-of-the-role</SecretAccessKey>
<SessionToken>token-of-the-role</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult><ResponseMetadata><RequestId>R</RequestId></ResponseMetadata></AssumeRoleResponse>`
