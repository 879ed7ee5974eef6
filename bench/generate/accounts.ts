import { requireInteger } from './bounds.ts'
import { type Business, BUSINESSES } from './businesses.ts'

/** Who sends usage, and what it looks like. */
export interface Account {
  readonly name: string
  /** Its part of the day's calls, in proportion to the other accounts' shares. */
  readonly share: number
  readonly business: Business
  /** Hours to add to UTC for the clock of its users, -12 to 14. */
  readonly utcOffset: number
  /** Where it calls the API, the busiest first. The last one of several takes few calls. */
  readonly regions: readonly string[]
  /** Sub-accounts, the busiest first. Empty: its events name no project, and it stores nothing. */
  readonly projects: readonly string[]
  /** Stored datasets in each project. */
  readonly datasets: number
  /** Whether a gateway of its own sums up some of its queries before it reports them. */
  readonly aggregates: boolean
}

const FIRMS = (
  'acme borealis cobalt delta ember fjord grove harbor isle juniper kestrel lumen mistral ' +
  'nimbus orchard prairie quartz ridge sable tundra umber vesper willow xenon yarrow zephyr'
).split(' ')
const OFFICES = [
  { utcOffset: 2, regions: ['eu-1', 'us-1', 'ap-1'] },
  { utcOffset: -4, regions: ['us-1', 'eu-1', 'ap-1'] },
  { utcOffset: 8, regions: ['ap-1', 'eu-1', 'us-1'] },
]
const PROJECTS = ['main', 'archive', 'mobile', 'web', 'partners', 'staging']

/** More would be possible, but each account is an object in memory; for more see `hour.ts`. */
export const ACCOUNTS_MAX = 100_000

/** Accounts of very different sizes (Zipf: the n-th has 1/n of the calls of the first), the largest first. */
export function makeAccounts(count: number): Account[] {
  requireInteger('accounts', count, 1, ACCOUNTS_MAX)
  return Array.from({ length: count }, (_, index) => makeAccount(index, count))
}

function makeAccount(index: number, count: number): Account {
  // 26 firms and 7 businesses have no common divisor: the first 182 pairs are all different.
  const firm = FIRMS[index % FIRMS.length]!
  const business = BUSINESSES[index % BUSINESSES.length]!
  const round = Math.floor(index / (FIRMS.length * BUSINESSES.length))
  const office = OFFICES[index % OFFICES.length]!
  // 1 for the largest account, almost 0 for the smallest.
  const size = 1 - index / count
  return {
    name: round === 0 ? `${firm}-${business}` : `${firm}-${business}-${round + 1}`,
    share: 1 / (index + 1),
    business,
    utcOffset: office.utcOffset,
    regions: office.regions.slice(0, Math.ceil(3 * size * size)),
    projects: PROJECTS.slice(0, Math.ceil(PROJECTS.length * size * size * size)),
    datasets: size > 0.8 ? 2 : 1,
    aggregates: index % 5 === 0,
  }
}

/** @throws RangeError for a name that would have to be escaped in JSON or in a URI */
export function requirePlainNames(accounts: readonly Account[]): void {
  for (const { name, regions, projects } of accounts) {
    const bad = [name, ...regions, ...projects].find((text) => !/^[\w.-]{1,100}$/.test(text))
    if (bad !== undefined) throw new RangeError(`names may have letters, digits, _ . and - only: ${bad}`)
  }
}
