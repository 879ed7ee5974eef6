import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import { putAccount } from '../../src/flows/accounts/put-account.ts'
import { publishPriceList } from '../../src/flows/prices/publish-price-list.ts'
import { listAccountLists } from '../../src/store/price-lists.ts'
import { run } from '../../src/store/query.ts'
import { differences, settleAll } from '../simulation/drive.ts'
import type { Deployment } from './deployment.ts'
import { BOOK, deployedWith, publish, thisHour, time, usage } from './price-versions.ts'

// Guarantee: an account is on a list for an hour before there is usage of it, or not at all; and of two publications of
// book and lists at once each is a version of its own, or is told to compare again.

const START = (thisHour() - 4) as Hour
const LIST = { priceList: 'partners', discount: [{ from: time(START - 1000), discount: '0.5' }] }

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployedWith(BOOK, START)
  const published = await publishList('partners', LIST)
  if (!published.ok) throw new Error(published.detail)
})
afterAll(() => deployed.close())

function publishList(name: string, list: Json) {
  const source = Buffer.from(JSON.stringify(list))
  return publishPriceList(deployed.pool, {
    name,
    source,
    actor: 'key_test',
    dryRun: false,
    basedOn: undefined,
  })
}

/** What each line of an account says, and what the assignments say of its usage hour. */
async function listsOf(account: string) {
  const assigned = await run(deployed.pool, listAccountLists, [account])
  const lines = (await deployed.billsOf(account)).flatMap((bill) => bill.lines)
  return lines.map(({ priceList, usageHour, unitPrice }) => ({
    is: priceList,
    should: assigned.findLast(({ from }) => from <= usageHour)?.list ?? null,
    isCheap: unitPrice === '0.25',
  }))
}

test('an account is put on a list while its first usage comes in and is settled: no line has a wrong list', async () => {
  const accounts = Array.from({ length: 40 }, (_, index) => `race-${index}`)
  let settling = true
  const settler = (async () => {
    while (settling) await deployed.settle({ graceMs: 0 })
  })()
  const outcomes = await Promise.all(
    accounts.map(async (subject, index) => {
      // Live, and history that gets its bills by and by.
      const hour = index % 2 === 0 ? thisHour() : START - 1 - index
      const put = () => {
        const priceLists = [{ list: 'partners', from: (START - 500) as Hour }]
        return putAccount(deployed.pool, 'key_test', subject, { priceLists })
      }
      const send = async (id: number) => {
        const event = usage(String(id), hour, { operation: 'Get' }, { subject })
        expect(await deployed.send([event])).toEqual(['accepted'])
      }
      // Some are put on it first, some last, and of the others only the gate can tell.
      const turn = index % 8
      if (turn === 0) expect(await put()).toMatchObject({ ok: true })
      if (turn === 1) await send(0)
      const [answer] = await Promise.all([put(), send(1), send(2)])
      return answer.ok ? 'on' : answer.code
    }),
  )
  settling = false
  await settler
  await settleAll(deployed)
  for (const [index, account] of accounts.entries()) {
    const lines = await listsOf(account)
    expect(lines.length).toBeGreaterThan(0)
    const list = outcomes[index] === 'on' ? 'partners' : null
    expect(lines).toEqual(lines.map(() => ({ is: list, should: list, isCheap: list !== null })))
  }
  // Each of both happened, and nothing else.
  expect(new Set(outcomes)).toEqual(new Set(['on', 'account/price_list_begun']))
  expect(await differences(deployed.pool)).toEqual([])
})

/** The operations that the versions of these rounds know: none is ever taken away. */
function fresh(round: number): readonly string[] {
  return Array.from({ length: round + 1 }, (_, at) => `Fresh${at}`)
}

test('two publications at once: each is a version of its own, or is told that there is a newer one', async () => {
  const told = new Set<string>()
  const { rows } = await deployed.pool.query<{ version: number }>(
    'select price_version as version from deployment',
  )
  let newest = rows[0]!.version
  for (let round = 0; round < 6; round++) {
    const later = { from: time(thisHour() + 100 + round), discount: `0.${round + 1}` }
    const discount = [...LIST.discount, later]
    const before = newest
    const answers = await Promise.all([
      publish(deployed, { ...BOOK, operations: ['Ping', ...fresh(round)] }),
      publishList('partners', { ...LIST, discount }),
      publishList('friends', { priceList: 'friends', discount: [later] }),
    ])
    const versions = answers.flatMap((answer) => (answer.ok ? [answer.version] : []))
    for (const answer of answers) told.add(answer.ok ? answer.outcome : answer.code)
    newest = before + versions.length
    expect(versions.toSorted((a, b) => a - b)).toEqual(versions.map((_, index) => before + 1 + index))
    // Lists take the next number by themselves; a book is compared by people.
    expect(answers.slice(1).every(({ ok }) => ok)).toBe(true)
    expect(await deployed.send([usage(`p${round}`, thisHour(), { operation: 'Get' })])).toEqual(['accepted'])
    if (round % 2 === 0) await deployed.settle({ graceMs: 0 })
  }
  expect([...told].filter((what) => what !== 'published' && what !== 'price_book/newer_version')).toEqual([])
  await settleAll(deployed)
  // Each version has all lists as they were when it was made, and each bill has one version.
  const mixed = await deployed.pool.query(
    `select l.hour, l.account from bill_line l join bill b using (hour, bucket, account)
      where l.price_version <> b.price_version`,
  )
  expect(mixed.rows).toEqual([])
  const wrong = await deployed.pool.query(
    `select b.hour, b.account from bill b join cycle c on c.hour = b.hour
      where not b.late and b.price_version <> c.price_version`,
  )
  expect(wrong.rows).toEqual([])
  expect(await differences(deployed.pool)).toEqual([])
})
