import { eventOfLine, type LineRules } from '../../src/core/access-log/event-of-line.ts'
import { readLogMap } from '../../src/core/access-log/read-log-map.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'

/** A small API, in a log of some format. */
export function rulesOf(map: { readonly [key: string]: Json }): LineRules {
  const read = readLogMap({ account: { value: 'acme' }, operations: { 'ANY /**': 'Any' }, ...map }, undefined)
  if (!read.ok) throw new Error(JSON.stringify(read.problems, null, 2))
  return read.rules
}

/** What a line is in short: `acme DetectFaces 200 2025-07-28T03:00:00.000Z id`, or the code of its refusal. */
export function shortly(rules: LineRules, line: string): string {
  const bytes = rules.format.encoding === 'latin1' ? Buffer.from(line).toString('latin1') : line
  const result = eventOfLine(rules, bytes, 'place')
  if (result.kind === 'ignored') return 'ignored'
  if (result.kind === 'refused') return result.refusal.code
  const { subject, id, time, data } = result.event as unknown as Event
  const place = [data.project, data.region].filter((value) => value !== undefined)
  return [subject, data.operation, data.status, time, id, ...place].join(' ')
}

interface Event {
  readonly subject: string
  readonly id: string
  readonly time: string
  readonly data: Data
}

interface Data {
  readonly operation: string
  readonly status: number
  readonly project?: string
  readonly region?: string
}
