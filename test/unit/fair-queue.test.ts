import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FairQueue } from '../../src/flows/ingest/commit-queue.ts'

// Guarantee: however much one sender sends, another's deliveries wait for about one turn of each sender, none is lost
// or taken twice, each sender's order is kept, and no more waits than may.

interface Delivery {
  readonly name: string
  readonly sender: string
  readonly batch: { readonly length: number }
}

function delivery(sender: string, number: number, events = 1): Delivery {
  return { name: `${sender}${number}`, sender, batch: { length: events } }
}

function queueOf(...items: readonly Delivery[]): FairQueue<Delivery> {
  const queue = new FairQueue<Delivery>({ waitingMax: 100, groupMax: 6, sharesGroups: true })
  for (const item of items) expect(queue.add(item)).toEqual([])
  return queue
}

function names(items: readonly Delivery[]): readonly string[] {
  return items.map(({ name }) => name)
}

function many(sender: string, count: number, events = 1): readonly Delivery[] {
  return Array.from({ length: count }, (_, index) => delivery(sender, index + 1, events))
}

describe('turns', () => {
  test('a sender alone fills a whole group', () => {
    expect(queueOf(...many('a', 30)).takeGroup()).toHaveLength(6)
  })

  test('one delivery of another is in the next group, however many came before it', () => {
    const queue = queueOf(...many('a', 50), delivery('b', 1))
    expect(names(queue.takeGroup())).toEqual(['a1', 'b1', 'a2', 'a3', 'a4', 'a5'])
  })

  test('senders take turns, and go on taking them in the next group', () => {
    const queue = queueOf(...many('a', 9), ...many('b', 9), ...many('c', 1))
    expect(names(queue.takeGroup())).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
    expect(names(queue.takeGroup())).toEqual(['b3', 'a4', 'b4', 'a5', 'b5', 'a6'])
  })

  test('a delivery that is larger than a group goes alone', () => {
    const queue = queueOf(delivery('a', 1, 90), delivery('b', 1))
    expect(names(queue.takeGroup())).toEqual(['a1'])
    expect(names(queue.takeGroup())).toEqual(['b1'])
    expect(names(queue.takeGroup())).toEqual([])
  })
})

describe('when too many events wait', () => {
  test('who has the most gives way, with what came last', () => {
    const queue = queueOf(...many('a', 10, 10))
    expect(names(queue.add(delivery('b', 1, 15)))).toEqual(['a10', 'a9'])
    expect(queue.events).toBe(95)
  })

  test('who would have the most is refused', () => {
    const queue = queueOf(...many('a', 5, 10), ...many('b', 5, 10))
    expect(names(queue.add(delivery('a', 6, 1)))).toEqual(['a6'])
    expect(names(queue.add(delivery('c', 1, 51)))).toEqual(['c1'])
  })

  test('nobody gives way for one that is refused all the same', () => {
    const queue = queueOf(...many('a', 6, 10), ...many('b', 4, 10))
    // After two of a, both a and b would have less than c.
    expect(names(queue.add(delivery('c', 1, 45)))).toEqual(['c1'])
    expect(queue.events).toBe(100)
    expect(names(queue.takeGroup())).toEqual(['a1'])
  })

  test('a delivery that is larger than the queue waits in an empty one only', () => {
    const queue = queueOf(delivery('a', 1, 500))
    expect(names(queue.add(delivery('a', 2, 1)))).toEqual(['a2'])
    expect(names(queue.add(delivery('b', 1, 1)))).toEqual(['a1'])
    expect(names(queue.takeGroup())).toEqual(['b1'])
  })
})

test('each delivery ends once, in the order of its sender, and what waits is bounded', () => {
  const step = fc.oneof(
    fc.record({ sender: fc.constantFrom('a', 'b', 'c'), events: fc.integer({ min: 1, max: 40 }) }),
    fc.constant('take' as const),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const queue = queueOf()
      const taken: Delivery[] = []
      const refused: Delivery[] = []
      const added: Delivery[] = []
      for (const next of steps) {
        if (next === 'take') taken.push(...queue.takeGroup())
        else {
          const item = delivery(next.sender, added.length, next.events)
          added.push(item)
          refused.push(...queue.add(item))
        }
        expect(queue.events).toBeLessThanOrEqual(100)
      }
      while (!queue.isEmpty) taken.push(...queue.takeGroup())
      expect(queue.events).toBe(0)
      expect(names([...taken, ...refused]).toSorted()).toEqual(names(added).toSorted())
      for (const sender of ['a', 'b', 'c']) {
        const own = (items: readonly Delivery[]) => items.filter((item) => item.sender === sender)
        expect(own(taken)).toEqual(own(added).filter((item) => taken.includes(item)))
      }
    }),
  )
})
