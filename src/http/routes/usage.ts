import { canonicalJson } from '../../core/text/canonical-json.ts'
import { plain, sum } from '../../core/money/decimal.ts'
import { formatHourStart } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import {
  type AskUsage,
  type Ranking,
  readUsage,
  type Usage,
  type UsageChange,
  type UsageRow,
  type UsageTotal,
} from '../../flows/read/read-usage.ts'
import { hasOwnRanges, rangeOf } from '../../flows/read/usage-range.ts'
import { sha256 } from '../../flows/shared/sha256.ts'
import type { AnswerOf } from '../../api/endpoint.ts'
import { PAGE } from '../../api/parameters.ts'
import { GetUsage } from '../../api/usage.ts'
import type { Pool } from '../../store/reading-pool.ts'
import { accountOf } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { HttpProblem } from '../api/problem.ts'
import { readUsageQuestion } from '../api/usage-question.ts'
import { KeptAnswers } from '../limits/kept-answers.ts'
import type { Gates } from '../limits/gates.ts'
import { route } from '../route.ts'

type Answer = AnswerOf<typeof GetUsage.answers>

/** All pages of an answer. */
interface Whole {
  readonly answer: Omit<Answer, 'next'>
  /** Of the rows. */
  readonly digest: string
}

/** By server. */
const kept = new WeakMap<Gates, KeptAnswers<Whole>>()

export const getUsage = route({
  ...GetUsage,
  access: { scope: 'usage:read', boundKeys: 'own' },
  async handle({ query, key }, { reading, gates }) {
    const ask = readUsageQuestion(query, accountOf(key, query.account))
    const position = readCursor('usage', ['instant', 'number', 'text'], query.cursor)
    const answers = kept.get(gates) ?? new KeptAnswers<Whole>()
    kept.set(gates, answers)
    if (position === undefined) return pageOf(answers, ask, await readWhole(reading, ask), 0, query.limit)
    const [asOf, start, digest] = position
    const whole = answers.find(nameOf(ask, formatInstant(asOf))) ?? (await readWhole(reading, ask))
    if (whole.digest === digest) return pageOf(answers, ask, whole, start, query.limit)
    const detail =
      'The figures have changed since the first page: ask again from the first page, or for a range that has its bills.'
    throw new HttpProblem('usage/answer_gone', detail)
  },
})

/** What an answer is kept as: never that of another account or question. */
function nameOf(ask: AskUsage & Ranking, asOf: string): string {
  return canonicalJson([JSON.stringify(ask), asOf])
}

async function readWhole(reading: Pool, ask: AskUsage & Ranking): Promise<Whole> {
  const read = await readUsage(reading, ask)
  if (!read.ok) throw new HttpProblem(read.code, read.detail)
  const answer = answerOf(ask, read.usage)
  return { answer, digest: sha256(canonicalJson(answer.items)) }
}

function pageOf(
  answers: KeptAnswers<Whole>,
  ask: AskUsage & Ranking,
  whole: Whole,
  start: number,
  limit = PAGE,
): Answer {
  const { answer, digest } = whole
  const { items, asOf } = answer
  const end = start + limit
  const isLast = end >= items.length
  if (!isLast) answers.keep(nameOf(ask, asOf), whole, items.length)
  const next = isLast ? null : writeCursor('usage', [Date.parse(asOf), end, digest])
  return { ...answer, items: items.slice(start, end), next }
}

function answerOf(ask: AskUsage, usage: Usage): Omit<Answer, 'next'> {
  const { places, total, held, comparison } = usage
  return {
    items: usage.rows.map((row) => rowView(row, ask, usage)),
    asOf: formatInstant(usage.asOf),
    currency: usage.currency,
    from: formatHourStart(places.from),
    to: formatHourStart(places.to),
    timeZone: ask.timeZone,
    basis: ask.basis,
    total: sumView(total),
    ...(comparison
      ? {
          comparison: {
            from: formatHourStart(comparison.from),
            to: formatHourStart(comparison.to),
            ...changeView(comparison),
          },
        }
      : {}),
    held: {
      events: held.events,
      reasons: held.reasons.map(({ code, subject, events, quantities }) => ({
        code,
        subject,
        events,
        quantities: quantities?.map(({ unit, quantity }) => ({ unit, quantity: plain(quantity) })) ?? null,
      })),
    },
  }
}

function changeView({ before, parts }: UsageChange) {
  const { used, price, gone, corrections } = parts
  return {
    before: sumView(before),
    difference: plain(sum([used, price, parts.new, gone, corrections])),
    parts: {
      used: plain(used),
      price: plain(price),
      new: plain(parts.new),
      gone: plain(gone),
      corrections: plain(corrections),
    },
  }
}

function sumView({ amount, quantities }: UsageTotal) {
  return {
    amount: plain(amount),
    quantities: quantities.map((used) => ({
      unit: used.unit,
      quantity: plain(used.quantity),
      waived: plain(used.waived),
      amount: plain(used.amount),
    })),
  }
}

/** `from` and `to` are those of the window within the range that was asked for. */
function rowView(row: UsageRow, { groupBy, tags }: AskUsage, { places }: Usage): Answer['items'][number] {
  const { from, to } = rangeOf(places, row)
  const groups = groupBy.map((group) => [group, row[group] === '' ? null : row[group]] as const)
  const values = places.tagValues[row.tags] ?? []
  const own = tags.map((name, index) => [name, values[index] ?? null] as const)
  return {
    from: formatHourStart(from),
    to: formatHourStart(to),
    ...(hasOwnRanges(places, row) ? { ownRanges: true as const } : {}),
    ...(row.others === undefined ? Object.fromEntries(groups) : { others: row.others }),
    ...(row.others === undefined && tags.length > 0 ? { tags: Object.fromEntries(own) } : {}),
    ...sumView(row),
    ...(row.change ? { change: changeView(row.change) } : {}),
  }
}
