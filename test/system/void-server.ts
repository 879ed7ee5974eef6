import { expect } from 'vitest'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { type Answer, testServer, type TestServer } from './http-server.ts'

/** The tests of a file settle the current hour, and must not cross into another one. */
const leftMs = 3_600_000 - (Date.now() % 3_600_000)
if (leftMs < 90_000) await new Promise((resolve) => setTimeout(resolve, leftMs + 100))

export const now = hourOf(Date.now() as Instant)
/** Live hours begin here. */
export const first = (now - 4) as Hour

export function at(hour: number, minute = 10): string {
  return formatInstant((startOf(hour as Hour) + minute * 60_000) as Instant)
}

/** A server on which usage is voided. */
export interface VoidServer {
  readonly server: TestServer
  /** GET as the admin, answered with 200. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  get(path: string): Promise<any>
  /** POST /v1/voids. */
  order(body: object, query?: string): Promise<Answer>
  /** The answers to an order, part by part. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  parts(body: object, dryRun: 'true' | 'false'): Promise<readonly any[]>
  /** Hours are settled in order: with the first call all before the current one, then that one, then the next. */
  settleHours(): Promise<void>
  expectProved(): Promise<void>
}

export async function voidServer(): Promise<VoidServer> {
  const server = await testServer({ firstHour: first })
  let settled = now
  const order: VoidServer['order'] = (body, query = '') => {
    const init = { method: 'POST', body: JSON.stringify(body), type: 'application/json' }
    return server.ask(`/v1/voids${query}`, init)
  }
  return {
    server,
    async get(path) {
      const answer = await server.ask(path)
      expect([path, answer.status]).toEqual([path, 200])
      return answer.json
    },
    order,
    async parts(body, dryRun) {
      const answers = []
      for (let cursor = ''; ;) {
        const { json } = await order(body, `?dryRun=${dryRun}${cursor}`)
        answers.push(json)
        if (json.next === null) return answers
        cursor = `&cursor=${json.next}`
      }
    },
    async settleHours() {
      await server.settle({ graceMs: Date.now() - startOf(settled) })
      settled = (settled + 1) as Hour
    },
    async expectProved() {
      const found: unknown[] = []
      const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
      for await (const difference of verify(server.database.pool, all)) found.push(difference)
      expect(found).toEqual([])
    },
  }
}
