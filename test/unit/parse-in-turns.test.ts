import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { oneAfterTheOther, parseListInTurns as piecesOf } from '../../src/http/body/parse-in-turns.ts'

async function parseListInTurns(body: Buffer, pieceBytes: number): Promise<readonly unknown[] | undefined> {
  return (await piecesOf(body, pieceBytes))?.flatMap(({ elements }) => elements)
}

/** Objects whose texts and members look like the ends of elements. */
const treacherous = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('},{', '"},{"', '\\"},{', '}\n,\n{', ']', 'x', 'ü},{\u{1f4b0}', 1.5, true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', '},{', ']'), tie('value'), { maxKeys: 3 }),
}))
const lists = fc.array(fc.oneof({ weight: 9, arbitrary: treacherous.object }, treacherous.value), {
  maxLength: 12,
})
const spaces = fc.constantFrom(undefined, 1, '\t')
const pieces = fc.integer({ min: 0, max: 40 })

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

describe('a large list that is parsed in pieces', () => {
  test('whatever is in it, the pieces give what the whole would, or nothing', async () => {
    const property = fc.asyncProperty(lists, spaces, pieces, async (list, space, piece) => {
      const text = JSON.stringify(list, null, space)
      const elements = await parseListInTurns(Buffer.from(text), piece)
      expect(elements ?? list).toEqual(list)
    })
    await fc.assert(property, { numRuns: 2_000 })
  })

  test('a text that is damaged in one place gives what it gives as a whole', async () => {
    const damage = fc.record({
      at: fc.nat(),
      removed: fc.nat(2),
      put: fc.constantFrom('', ',', '}', ']', '"', '\u00a0'),
    })
    const property = fc.asyncProperty(lists, pieces, damage, async (list, piece, { at, removed, put }) => {
      const text = JSON.stringify(list)
      const place = at % (text.length + 1)
      const damaged = text.slice(0, place) + put + text.slice(place + removed)
      // As bytes: half of a character has none.
      const bytes = Buffer.from(damaged)
      const elements = await parseListInTurns(bytes, piece)
      if (elements !== undefined) expect(elements).toEqual(parsed(bytes.toString()))
    })
    await fc.assert(property, { numRuns: 5_000 })
  })

  test('a list of events is cut between them, however it is written', async () => {
    const event = (id: number) => ({
      id: `${id}`,
      data: { quantities: { image: '1' }, text: 'a}' },
      subject: 'acme',
    })
    const events = Array.from({ length: 1_000 }, (_, id) => event(id))
    for (const space of [undefined, 2]) {
      expect(await parseListInTurns(Buffer.from(JSON.stringify(events, null, space)), 500)).toEqual(events)
    }
    expect(await parseListInTurns(Buffer.from(' [ ] \n'), 500)).toEqual([])
  })

  test('large bodies are taken apart one after the other, also after one that fails', async () => {
    const told: string[] = []
    const body = (name: string, fails: boolean) =>
      oneAfterTheOther(async () => {
        told.push(`${name} begins`)
        await new Promise((resolve) => setImmediate(resolve))
        told.push(`${name} ends`)
        if (fails) throw new Error(name)
        return name
      })
    const ended = await Promise.allSettled([body('a', true), body('b', false)])
    expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })

  test('a byte order mark is no part of it, and what is not UTF-8 is no list', async () => {
    const list = [{ a: 'ü' }, { b: '\u{1f4b0}' }]
    expect(await parseListInTurns(Buffer.from(`\ufeff${JSON.stringify(list)}`), 0)).toEqual(list)
    const damaged = Buffer.from(JSON.stringify(list))
    damaged[damaged.indexOf('ü')] = 0xff
    expect(await parseListInTurns(damaged, 0)).toBeUndefined()
  })

  test('what is no list is left to who can say what is wrong', async () => {
    for (const text of ['{"a":1}', '[1', '1]', ']', '', '[{},]', '[{}]x', '\u00a0[]', '[{}\u00a0,{}]']) {
      expect(await parseListInTurns(Buffer.from(text), 0)).toBeUndefined()
    }
  })
})
