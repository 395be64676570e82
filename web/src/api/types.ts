import type { paths } from './schema.d.ts'

// What the gateway answers, by the names that the page uses. schema.d.ts is made from the gateway's own description.

type Body<Operation> = Operation extends {
  responses: { 200: { content: { 'application/json': infer Answer } } }
}
  ? Answer
  : never

export type Person = Body<paths['/api/userinfo']['get']>
export type SignedIn = Body<paths['/api/page/sign-in']['post']>
export type PublicServer = Body<paths['/api/publicserverinfo']['get']>
/** Lists come in pages only where a page is asked for. */
export type Connection = Extract<Body<paths['/api/connections']['get']>, readonly unknown[]>[number]
export type Agent = Body<paths['/api/agents']['get']>[number]
export type RunbookLists = Body<paths['/api/runbooks']['get']>
export type RunbookItem = RunbookLists['repositories'][number]['items'][number]
export type Rendered = Body<paths['/api/runbooks/render']['post']>
export type Execution = Body<paths['/api/runbooks/exec']['post']>
export type SessionList = Body<paths['/api/sessions']['get']>
export type ListedSession = SessionList['data'][number]
export type Review = Body<paths['/api/reviews']['get']>[number]
export type ListedBatch = Body<paths['/api/batches']['get']>[number]
export type Batch = Body<paths['/api/batches/{id}']['get']>
export type BatchDiff = Body<paths['/api/batches/{id}/diff']['get']>
export type ListedSchedule = Body<paths['/api/schedules']['get']>[number]
export type Schedule = Body<paths['/api/schedules/{name}']['get']>
export type ScheduleRun = Body<paths['/api/schedules/{name}/run']['post']>

/** A session by itself has its script. */
export interface Session extends Omit<ListedSession, 'script'> {
  readonly script: { readonly data: string }
}
export type JiraTemplate = Body<paths['/api/integrations/jira/issuetemplates/{id}']['get']>
