import type { GatewayMessage } from '../../wire/messages/message.ts'

/** What this gateway sends. */
export type GatewayOutbound = Exclude<
  GatewayMessage,
  { readonly kind: 'unsupported' | 'native-proxy' | 'system' }
>
