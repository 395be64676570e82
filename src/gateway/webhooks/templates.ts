import { oneLine } from '../../basics/text/printable.ts'
import type { WebhookEvent } from '../settings/webhooks.ts'

interface WebhookMessage {
  readonly event: string
  /** In ms since 1970. */
  readonly at: number
  readonly facts: Readonly<Record<string, unknown>>
  /** Address of the session's page. */
  readonly link: string
}

export type MessageForm = 'standard' | 'slack' | 'teams'

/** Returns the message as JSON. */
export function webhookBody(template: MessageForm, message: WebhookMessage): string {
  return JSON.stringify(TEMPLATES[template](message))
}

const TEMPLATES: Readonly<Record<MessageForm, (message: WebhookMessage) => object>> = {
  standard,
  slack,
  teams,
}

function standard({ event, at, facts, link }: WebhookMessage): object {
  const { started_at: asked, approved_at: approved, began_at: began, ended_at: ended, ...more } = facts
  const { exit_code: code, ...rest } = more
  return {
    type: event,
    timestamp: new Date(at).toISOString(),
    data: {
      ...rest,
      ...moment('start_date', asked),
      ...moment('approved_at', approved),
      ...moment('began_at', began),
      ...moment('end_date', ended),
      // As in hoop's gateway, -100 means that there is no exit code.
      ...('exit_code' in facts && { exit_code: code ?? -100 }),
      url: link,
    },
  }
}

/** @param at in ms since 1970; another value means that the moment has not come, or is unknown */
function moment(name: string, at: unknown): Readonly<Record<string, string>> {
  return typeof at === 'number' ? { [name]: new Date(at).toISOString() } : {}
}

/** All texts have the type `plain_text`, because Slack recognizes no mentions or links in such texts. */
function slack(message: WebhookMessage): object {
  const plain = (text: string) => ({ type: 'plain_text', text, emoji: false })
  const title = titleOf(message)
  const fields = factsOf(message).map(([name, value]) => plain(`${name}: ${value}`))
  return {
    // Notifications show this text. Slack interprets <, > and & in it, so they are escaped.
    text: title.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(title.slice(0, 150)) },
      { type: 'section', fields },
      { type: 'actions', elements: [{ type: 'button', text: plain('Open the session'), url: message.link }] },
    ],
  }
}

/** Makes an Adaptive Card. All texts have the type `TextRun`, because Teams reads no Markdown in it. */
function teams(message: WebhookMessage): object {
  const run = (text: string, isStrong = false) => ({
    type: 'TextRun',
    text,
    ...(isStrong && { weight: 'Bolder' }),
  })
  const line = (...inlines: readonly object[]) => ({ type: 'RichTextBlock', inlines })
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      line({ ...run(titleOf(message), true), size: 'Medium' }),
      ...factsOf(message).map(([name, value]) => line(run(`${name}: `, true), run(value))),
    ],
    actions: [{ type: 'Action.OpenUrl', title: 'Open the session', url: message.link }],
  }
  const contentType = 'application/vnd.microsoft.card.adaptive'
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content }] }
}

const TITLES: Readonly<Record<string, string>> = {
  'session.finished': 'Finished',
  'session.failed': 'Failed',
  'review.waiting': 'Waits for approval',
  'review.approved': 'Approved',
  'review.rejected': 'Rejected',
} satisfies Readonly<Record<WebhookEvent, string>>

function titleOf({ event, facts }: WebhookMessage): string {
  const what = endedText(facts) ?? TITLES[event] ?? 'Test'
  const { runbook, verb, connection } = facts
  const subject = runbook ?? (verb === 'connect' ? 'a terminal' : 'a script')
  if (connection === undefined) return `${what}: the gateway can reach you`
  const connections = connectionsOfBatch(facts)
  const place = connections === undefined ? shown(connection) : countText(connections)
  return `${what}: ${shown(subject)} on ${place}`
}

/** Returns a text like `Stopped by ann`. Returns undefined for a session that succeeded or failed. */
function endedText({ state }: WebhookMessage['facts']): string | undefined {
  const { name, text } = (state ?? {}) as { readonly name?: unknown; readonly text?: unknown }
  if (typeof text !== 'string' || name === 'succeeded' || name === 'failed') return undefined
  const said = shown(text)
  return said.charAt(0).toUpperCase() + said.slice(1)
}

/** Returns the connections of a batch that needs approval, and undefined for any other message. */
function connectionsOfBatch(facts: WebhookMessage['facts']): readonly string[] | undefined {
  const { review } = facts as {
    readonly review?: { readonly batch?: { readonly connections?: unknown } } | null
  }
  const connections = review?.batch?.connections
  return Array.isArray(connections) ? connections.map(String) : undefined
}

function countText({ length }: readonly string[]): string {
  return `${length} ${length === 1 ? 'connection' : 'connections'}`
}

/** A message to a chat names at most this many connections. A JSON message names all. */
const NAMED = 10

function batchText(connections: readonly string[]): string {
  const left = connections.length - NAMED
  const names = connections.slice(0, NAMED).join(', ')
  return `${countText(connections)}, once on each: ${names}${left > 0 ? `, and ${left} more` : ''}`
}

function factsOf({ event, at, facts }: WebhookMessage): (readonly [name: string, value: string])[] {
  const { user_id: user, schedule, exit_code: code, review, reason, ...times } = facts
  const { groups, reason: refusal } = (review ?? {}) as { groups?: unknown; reason?: unknown }
  const connections = connectionsOfBatch(facts)
  const rows = [
    ['Runs on', connections === undefined ? undefined : batchText(connections)],
    ['User', user],
    ['Schedule', schedule],
    ['Exit code', code],
    [
      'Groups',
      Array.isArray(groups) ? groups.map((one: { group?: unknown }) => one.group).join(', ') : undefined,
    ],
    ['Reason', reason ?? (event === 'review.waiting' ? 'no reason' : undefined)],
    ['Rejected because', refusal],
    ['Session', facts['id']],
    ['Asked', moment('at', times['started_at'])['at']],
    ['Approved', moment('at', times['approved_at'])['at']],
    ['Began', moment('at', times['began_at'])['at']],
    [times['ended_at'] === undefined ? 'Time' : 'Ended', new Date(at).toISOString()],
  ] as const
  return rows.flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [[name, shown(value)] as const],
  )
}

/** Makes one line of a text. A chat finds no mention, link or function in this line. */
function shown(value: unknown): string {
  const text = oneLine(typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 1000)
  return text
    .replaceAll(/@|:(?=\/\/)|\{(?=\{)|\$(?=\{)/g, (found) => `${found}\u200b`)
    .replace(/[\ud800-\udbff]$/, '')
}
