import { setTimeout as sleep } from 'node:timers/promises'
import type { Sent } from './history.ts'
import type { Answer } from './ledger.ts'

export interface StubbornClient {
  readonly adminKey: string
  /** Undefined while no server runs. */
  readonly url: () => string | undefined
  /** The events of the next delivery; undefined: that was all. */
  readonly next: () => readonly Sent[] | undefined
}

interface Report {
  readonly problems: readonly { readonly index: number; readonly outcome: Answer['outcome'] }[]
}

const PAUSE_MS = 20

/**
 * Send deliveries one after the other over HTTP, each again and again, with the same ids, until it is answered.
 * @returns what it was told. An event without a problem was accepted now or before, and that is told apart by nobody:
 *   it is given as a duplicate
 */
export async function sendUntilAnswered(client: StubbornClient): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (let events = client.next(); events !== undefined; events = client.next()) {
    const { problems } = await sendOne(client, events)
    const outcomes = new Map(problems.map(({ index, outcome }) => [index, outcome]))
    answers.push(
      ...events.map((event, index) => ({ event, outcome: outcomes.get(index) ?? ('duplicate' as const) })),
    )
  }
  return answers
}

async function sendOne({ adminKey, url }: StubbornClient, events: readonly Sent[]): Promise<Report> {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
  for (;;) {
    const report = await attempt(`${url()}/v1/events`, {
      method: 'POST',
      headers,
      body: JSON.stringify(events),
    })
    if (report) return report
    await sleep(PAUSE_MS)
  }
}

/** @returns undefined when there was no answer, or one that asks to send again */
async function attempt(url: string, init: RequestInit): Promise<Report | undefined> {
  const answer = await ask(url, init).catch(() => undefined)
  // No server, or one that ended before its answer did; or no database.
  if (answer === undefined || answer.status === 429 || answer.status >= 500) return undefined
  if (answer.status === 200) return JSON.parse(answer.text) as Report
  throw new Error(`the answer is ${answer.status}: ${answer.text}`)
}

async function ask(
  url: string,
  init: RequestInit,
): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(url, init)
  return { status: answer.status, text: await answer.text() }
}
