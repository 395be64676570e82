import type { Logger } from '../../../basics/logger.ts'
import type { History } from '../../history/history.ts'
import type { Budget, GatewayUser, StoredToken, StoredUser, UserKind } from '../../identity.ts'
import { refused } from '../../refusals/request-refused.ts'
import { MAX_USERS, type Users } from './users.ts'

interface NewUser {
  readonly name: string
  readonly kind: UserKind
  readonly groups: readonly string[]
  readonly isActive: boolean
  readonly budget: Budget | undefined
  /** True if the user takes over the sessions that are recorded under this name. */
  readonly takesOver: boolean
}

/** An undefined value changes nothing. */
interface UserChange {
  readonly isActive?: boolean | undefined
  readonly groups?: readonly string[] | undefined
  /** Null removes the budget. */
  readonly budget?: Budget | null | undefined
}

const ADMIN_GROUP = 'admin'

/** Lists all users, and changes users of the state. Users of gateway.yaml are changed only in that file. */
export class UserDirectory {
  readonly #users: Users
  readonly #history: History
  readonly #log: Logger

  constructor(users: Users, history: History, log: Logger) {
    this.#users = users
    this.#history = history
    this.#log = log
    for (const name of this.#shadowed)
      log.warn({ user: name }, 'user is in gateway.yaml and in the state; the user of gateway.yaml applies')
  }

  /** Users of gateway.yaml are first. */
  list(): GatewayUser[] {
    return this.#users.all
  }

  /** @throws RequestRefused */
  get(name: string): GatewayUser {
    const user = this.#users.named(name)
    if (user === undefined) throw refused('user-not-found/named', { name })
    return user
  }

  /** Tells whether gateway.yaml has a user of the same name as a user of the state. */
  isShadowing(name: string): boolean {
    return this.#users.declared.users.has(name) && this.#users.stored.users.has(name)
  }

  /**
   * Creates a user, and removes tokens of an earlier user with this name.
   * @param tokens first tokens of the new user
   * @throws RequestRefused, HistoryError. After an error, neither the user nor the tokens exist.
   */
  create(asked: NewUser, by: string, tokens: readonly StoredToken[] = []): StoredUser {
    const { name, kind, budget, takesOver } = asked
    this.#checkFree(name, takesOver)
    checkBudget(kind, budget)
    const user = newUser(asked, { at: Math.round(this.#users.now), by })
    this.#users.stored.apply({ users: [user], removedTokens: this.#tokenIds(name), tokens })
    const made = { user: name, kind, groups: user.groups, tokens: tokens.map(({ id }) => id), by }
    this.#log.info(made, 'user created')
    return user
  }

  /** @throws RequestRefused, HistoryError */
  change(name: string, { isActive, groups, budget }: UserChange, by: string): StoredUser {
    const { budget: oldBudget, ...user } = this.#changeable(name)
    if (name === by && isActive === false) throw refused('not-yourself/deactivate')
    if (name === by && budget !== undefined) throw refused('not-yourself/budget')
    const newBudget = budget === undefined ? oldBudget : (budget ?? undefined)
    checkBudget(user.kind, newBudget)
    const kept = name === by && user.groups.includes(ADMIN_GROUP) ? [ADMIN_GROUP] : []
    const changed: StoredUser = {
      ...(isActive === undefined ? user : withActivity(user, isActive, { at: this.#users.now, by })),
      groups: groups === undefined ? user.groups : [...new Set([...kept, ...groups])],
      ...(newBudget !== undefined && { budget: newBudget }),
    }
    this.#users.stored.apply({ users: [changed] })
    this.#log.info({ user: name, isActive: changed.isActive, groups: changed.groups, by }, 'user changed')
    return changed
  }

  /**
   * Removes the user and their tokens from the state. Sessions keep the user's name. If gateway.yaml has a
   * user with this name, that user stays.
   * @throws RequestRefused, HistoryError
   */
  remove(name: string, by: string): void {
    if (!this.isShadowing(name)) {
      this.#changeable(name)
      if (name === by) throw refused('not-yourself/delete')
    }
    this.#users.stored.apply({ removedUsers: [name], removedTokens: this.#tokenIds(name) })
    this.#log.info({ user: name, by }, 'user deleted')
  }

  /** Returns the groups that were added, and all groups that users have. */
  groups(): string[] {
    const made = this.#history.read(({ users }) => users.groups())
    return [...new Set([...made, ...this.list().flatMap(({ groups }) => groups)])].sort()
  }

  /** @throws RequestRefused, HistoryError */
  addGroup(name: string): void {
    if (this.groups().includes(name)) throw refused('name-taken/group', { name })
    this.#history.write(({ users }) => users.addGroup(name))
  }

  /** Removes a group, also from users of the state. @throws RequestRefused, HistoryError */
  removeGroup(name: string): void {
    if (name === ADMIN_GROUP) throw refused('invalid-request/admin-group', { name: ADMIN_GROUP })
    if (!this.groups().includes(name)) throw refused('group-not-found', { name })
    const declared = [...this.#users.declared.users.values()].find(({ groups }) => groups.includes(name))
    if (declared !== undefined) throw refused('declared-in-settings/group', { name, user: declared.name })
    const members = [...this.#users.stored.users.values()].filter(({ groups }) => groups.includes(name))
    const left = members.map((user) => ({ ...user, groups: user.groups.filter((group) => group !== name) }))
    this.#users.stored.apply({ users: left, removedGroups: [name] })
  }

  get #shadowed(): string[] {
    return [...this.#users.stored.users.keys()].filter((name) => this.#users.declared.users.has(name))
  }

  #checkFree(name: string, takesOver: boolean): void {
    const same = this.#users.alike(name)
    if (same !== undefined) throw refused('name-taken/user', { name: same.name })
    if (this.#users.isFull) throw refused('too-many-tokens/users', { most: MAX_USERS })
    if (!takesOver && this.#users.stored.isInHistory(name)) throw refused('name-taken/earlier-user', { name })
  }

  #changeable(name: string): StoredUser {
    const user = this.get(name)
    const stored = this.#users.stored.users.get(name)
    if (!user.isDeclared && stored !== undefined) return stored
    throw refused('declared-in-settings/user', { name })
  }

  #tokenIds(name: string): string[] {
    return this.#users.stored.tokensOf(name).map(({ id }) => id)
  }
}

function newUser(
  { name, kind, groups, isActive, budget }: NewUser,
  made: { readonly at: number; readonly by: string },
): StoredUser {
  const user: StoredUser = {
    name,
    kind,
    groups: [...new Set(groups)],
    isActive: true,
    isDeclared: false,
    createdAt: made.at,
    createdBy: made.by,
    ...(budget !== undefined && { budget }),
  }
  return withActivity(user, isActive, made)
}

function checkBudget(kind: UserKind, budget: Budget | undefined): void {
  if (kind === 'person' && budget !== undefined) throw refused('invalid-request/budget')
}

function withActivity(
  { deactivatedAt, deactivatedBy, ...user }: StoredUser,
  isActive: boolean,
  { at, by }: { readonly at: number; readonly by: string },
): StoredUser {
  if (isActive) return { ...user, isActive }
  return {
    ...user,
    isActive,
    deactivatedAt: deactivatedAt ?? Math.round(at),
    deactivatedBy: deactivatedBy ?? by,
  }
}
