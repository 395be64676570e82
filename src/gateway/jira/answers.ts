import * as v from 'valibot'
import type { Reply } from '../../basics/net/exchange.ts'

// What is read of Jira's answers, by Atlassian's published contract. Everything else in them is passed over.

const Id = v.pipe(v.union([v.string(), v.number()]), v.transform(String))

export const ServiceDesks = v.object({
  isLastPage: v.nullish(v.boolean(), true),
  values: v.array(v.object({ id: Id, projectKey: v.nullish(v.string()) })),
})

export const CreatedIssue = v.object({
  // It becomes part of an address.
  issueKey: v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_]{0,200}-\d{1,20}$/)),
  _links: v.fallback(v.object({ agent: v.fallback(v.nullish(v.string()), undefined) }), {}),
})

export const IssueTransitions = v.object({
  transitions: v.array(
    v.object({ id: Id, isAvailable: v.nullish(v.boolean(), false), to: v.object({ name: v.string() }) }),
  ),
})

export const IssueStatus = v.object({ fields: v.object({ status: v.object({ name: v.string() }) }) })

/** Undefined for an answer of another form. */
export function contentOf<T>(shape: v.GenericSchema<unknown, T>, { body }: Reply): T | undefined {
  try {
    const result = v.safeParse(shape, JSON.parse(body.toString('utf8')))
    return result.success ? result.output : undefined
  } catch {
    return undefined
  }
}

/** Undefined for what a browser does not open. */
export function webAddressIn(text: string | null | undefined): string | undefined {
  if (!text || text.length > 2000 || !/^https?:\/\/[^\s\p{Cc}\p{Cf}]+$/iu.test(text)) return undefined
  return URL.canParse(text) ? text : undefined
}
