import { refusedEventLines, storedEventLines } from '../../core/present/event-timeline-lines.ts'
import { CommandFailed } from '../terminal/command-failed.ts'
import type { ServerApi } from '../client/server-api.ts'
import { printLines } from '../terminal/terminal.ts'

/** Whose event, by what id; the account may be left out with a key that is bound to one. */
export interface EventName {
  readonly account: string | undefined
  readonly source: string | undefined
  readonly id: string
}

/** What became of the events of an id: those that were stored, and those that were not accepted. */
export async function explainEvent(api: ServerApi, name: EventName, json: boolean): Promise<void> {
  const request = { query: { ...name } }
  if (json) {
    process.stdout.write(`${(await api.text('GET /v1/events', request)).trimEnd()}\n`)
    return
  }
  const { stored, refused } = await api.json('GET /v1/events', request)
  const stories = [...stored.map(storedEventLines), ...refused.map(refusedEventLines)]
  if (stories.length === 0) {
    const whose = name.account === undefined ? '' : ` of ${name.account}`
    const where = name.source === undefined ? '' : ` from ${name.source}`
    throw new CommandFailed(
      `There is no event ${name.id}${whose}${where}: it never arrived, or has another id.`,
    )
  }
  printLines(stories.flatMap((lines, at) => (at === 0 ? lines : [{ role: 'plain', text: '' }, ...lines])))
}
