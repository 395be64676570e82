import { X509Certificate } from 'node:crypto'

/** What is wrong with the certificate of an agent's connection; undefined when it is in order. */
export type CertificateFault = 'missing' | 'other-name'

/** @param raw in DER, signed by an authority that counts here; undefined when there is no such certificate */
export function certificateOf(raw: Buffer | undefined): X509Certificate | undefined {
  if (raw === undefined) return undefined
  const certificate = new X509Certificate(raw)
  // A connection that goes on with an older handshake was checked then.
  return Date.parse(certificate.validTo) > Date.now() ? certificate : undefined
}

/**
 * Whether it is for the agent: its only common name, or one of its DNS names, is the agent's, letter by letter. Names
 * of hosts are compared in any case and by wildcards (`checkHost`), names of agents are not: ALPHA and alpha are two.
 */
export function isFor(certificate: X509Certificate, agent: string): boolean {
  const { CN: commonName } = certificate.toLegacyObject().subject as { readonly CN?: string | string[] }
  // A comma in a name is written as \u002c.
  const names = certificate.subjectAltName?.split(', ') ?? []
  return commonName === agent || names.includes(`DNS:${agent}`)
}

/** For whoever runs the agent. */
export const CERTIFICATE_WORDS: Readonly<Record<CertificateFault, string>> = {
  missing:
    'this gateway demands a certificate of its agents (tls.cert, tls.key): none came, it has ended, or its authority is not in listen.tls.agent-ca',
  'other-name':
    "the certificate in tls.cert is another agent's: its common name or a DNS name has to be the agent's name, letter by letter",
}
