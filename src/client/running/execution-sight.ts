/** What is seen of an execution before it has ended. */
export type ExecutionSight =
  /** It has a session, which can be found and killed by this id. */
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'bytes'; readonly bytes: number }
  /** Somebody has to approve it, there. */
  | { readonly kind: 'review'; readonly url: string }
  | { readonly kind: 'away'; readonly reason: string }
  | { readonly kind: 'back' }
