import { Compile } from 'typebox/compile'
import { plain } from '../../core/money/decimal.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { formatHourStart, type Hour, hourOf, startOf } from '../../core/time/hour.ts'
import { parseTime } from '../../core/time/time-forms.ts'
import { formatMonth, UTC } from '../../core/time/zone-month.ts'
import { describePrices } from '../../flows/read/describe-prices.ts'
import type { Sql } from '../../store/query.ts'
import { endLevels } from '../../flows/settle/end-levels.ts'
import { findAccount, listAccounts, type ListedAccount } from '../../flows/accounts/list-accounts.ts'
import { putAccount } from '../../flows/accounts/put-account.ts'
import type { AccountChange } from '../../flows/accounts/refuse-account.ts'
import { ChangedAccount, GetAccount, GetAccounts, PutAccount } from '../../api/accounts.ts'
import { PAGE } from '../../api/parameters.ts'
import { sees } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { readJsonBody } from '../body/read-json.ts'
import { HttpProblem } from '../api/problem.ts'
import { type HttpContext, route } from '../route.ts'

/** How long an answer to a closing waits until the account's levels are ended. The rest is done without it. */
const ENDING_MS = 5_000

const READ_ACCOUNTS = { scope: 'usage:read', boundKeys: 'own' } as const
const change = Compile(ChangedAccount)

export const getAccounts = route({
  ...GetAccounts,
  access: READ_ACCOUNTS,
  async handle({ query, key }, { reading }) {
    const [after] = readCursor('accounts', ['text'], query.cursor) ?? []
    const page = await listAccounts(reading, { account: key?.account, after, limit: query.limit ?? PAGE })
    const next = writeCursor('accounts', page.next === null ? null : [page.next])
    return { items: page.items.map(accountView), next }
  },
})

export const getAccount = route({
  ...GetAccount,
  access: READ_ACCOUNTS,
  async handle({ params: { account }, key }, { reading }) {
    const found = sees(key, account) ? await findAccount(reading, account) : undefined
    if (found) return detailView(reading, found)
    const detail = 'There is no account of this name that is known or was billed: see /v1/accounts.'
    throw new HttpProblem('account/not_found', detail)
  },
})

export const putAccountRoute = route({
  ...PutAccount,
  access: { scope: 'admin', boundKeys: 'none' },
  async handle({ params: { account }, body, key, request, reply }, context) {
    const put = await putAccount(context.writing, key!.id, account, readChange(body))
    if (!put.ok) throw new HttpProblem(put.code, put.detail)
    if (put.profile.closedAt !== null) await endSoon(context, account, request.id)
    void reply.code(put.isNew ? 201 : 200)
    return detailView(context.writing, (await findAccount(context.writing, account))!)
  },
})

/** The account is closed already: what fails or takes long here is made good by the settlers. */
async function endSoon({ writing, log }: HttpContext, account: string, requestId: string): Promise<void> {
  const until = performance.now() + ENDING_MS
  try {
    await endLevels({ pool: writing, account, stopping: () => performance.now() > until })
  } catch (error) {
    log.warn(
      { err: error, requestId },
      'The levels of a closed account were not ended yet: it is tried again',
    )
  }
}

function accountView({ account, profile, priceLists }: ListedAccount) {
  const { name = null, timeZones = [], tags = {}, closedAt = null } = profile ?? {}
  const { createdAt = null, updatedAt = null } = profile ?? {}
  return {
    account,
    name,
    timeZone: timeZones.at(-1)?.zone ?? UTC,
    timeZones: timeZones.map(({ fromMonth, zone }) => ({
      fromMonth: formatMonth(fromMonth),
      timeZone: zone,
    })),
    tags,
    priceLists: priceLists.map(({ list, from }) => ({ list, from: formatHourStart(from) })),
    closed: timeView(closedAt),
    createdAt: timeView(createdAt),
    updatedAt: timeView(updatedAt),
  }
}

async function detailView(sql: Sql, found: ListedAccount) {
  const { waiting, minimum } = await describePrices(sql, found.account, found.profile?.timeZones ?? [])
  return {
    ...accountView(found),
    waitingTiers: waiting.map(({ rate, list, from, countsFrom }) => ({
      item: rate.item,
      rate: rate.rate,
      list,
      from: formatHourStart(from),
      countsFrom: formatHourStart(countsFrom),
    })),
    minimum: minimum
      ? {
          amount: plain(minimum.amount),
          per: minimum.per,
          priceList: minimum.list,
          fromMonth: formatMonth(minimum.fromMonth),
        }
      : null,
  }
}

function timeView(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at)
}

function readChange(body: Buffer): AccountChange {
  const value: Json = readJsonBody(body)
  if (!change.Check(value)) throw invalidBody(value)
  const { name, timeZone, tags, closed, priceLists } = value
  const closedAt = typeof closed === 'string' ? readClosed(closed) : closed
  const lists = priceLists?.map(({ list, from }) => ({ list, from: from ? readFrom(from) : undefined }))
  return { name, timeZone, tags, closedAt, priceLists: lists }
}

function readClosed(text: string): Instant {
  const at = parseTime(text)
  if (typeof at === 'number') return at
  const detail = 'closed is not an RFC 3339 time: send one such as 2025-07-28T03:00:00Z, or null.'
  throw new HttpProblem('request/invalid_body', detail)
}

/** The start of an hour: prices change on the hour only. */
function readFrom(text: string): Hour {
  const at = parseTime(text)
  if (typeof at === 'number' && startOf(hourOf(at)) === at) return hourOf(at)
  const detail =
    'priceLists.from is not the start of an hour in RFC 3339: send one such as 2027-01-01T00:00:00Z.'
  throw new HttpProblem('request/invalid_body', detail)
}

function invalidBody(value: Json): HttpProblem {
  const errors = change.Errors(value)
  const unknown = errors.find(({ keyword }) => keyword === 'additionalProperties')
  const place = (unknown ?? errors[0])?.instancePath.slice(1).replaceAll('/', '.') || 'The body'
  const names = (unknown?.params as { additionalProperties?: string[] } | undefined)?.additionalProperties
  const what = names
    ? `has members that are not known (${names.join(', ').slice(0, 80)})`
    : 'has the wrong form'
  const detail = `${place} ${what}: send {"name"?,"timeZone"?,"tags"?:{…},"closed"?,"priceLists"?:[{"list","from"?}]}, texts or null.`
  return new HttpProblem('request/invalid_body', detail)
}
