import type { DetailedPeerCertificate } from 'node:tls'

const DAY_MS = 86_400_000

/** A name for people: the common name, else the whole subject, else the names that it is valid for. */
export function certificateName({ subject, subjectaltname = '' }: DetailedPeerCertificate): string {
  return distinguished(subject) || subjectaltname || 'nobody'
}

export function issuerOf({ issuer }: DetailedPeerCertificate): string {
  return distinguished(issuer) || 'nobody'
}

/** The type as it really is: the last certificate of an incomplete chain has no issuer. */
type Linked = Omit<DetailedPeerCertificate, 'issuerCertificate'> & { readonly issuerCertificate?: Linked }

/** The certificates that the gateway has sent, up to its authority, without the authority itself. */
export function chainOf(leaf: Linked): Linked[] {
  const chain: Linked[] = []
  for (let one: Linked | undefined = leaf; one !== undefined && !chain.includes(one);) {
    const next: Linked | undefined = one.issuerCertificate
    // An authority is its own issuer, and so is a self-signed certificate.
    const isOwnIssuer: boolean = next?.fingerprint256 === one.fingerprint256
    if (!isOwnIssuer || chain.length === 0) chain.push(one)
    one = isOwnIssuer ? undefined : next
  }
  return chain
}

/** Whole days until the first of them expires; negative when one has. */
export function daysLeft(chain: readonly Linked[]): number {
  return Math.floor(Math.min(...chain.map(({ valid_to }) => Date.parse(valid_to) - Date.now())) / DAY_MS)
}

function distinguished(name: DetailedPeerCertificate['subject'] | undefined): string {
  const { CN, O } = name ?? {}
  return [CN, O].filter((part) => part !== undefined && part.length > 0).join(', ')
}
