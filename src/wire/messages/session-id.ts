/** One client's conversation; the gateway's text UUID. */
export type SessionId = string & { readonly __brand: 'SessionId' }
