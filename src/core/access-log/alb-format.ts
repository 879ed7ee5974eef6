import { invariant } from '../invariant.ts'
import { linePattern, type Part } from './line-pattern.ts'
import { refuseLine } from './line-refusal.ts'
import type { LogFormat } from './log-format.ts'

/** The documented fields of an Application Load Balancer, in order; " marks those in quotes. */
const FIELDS = `type time elb client target request_processing_time target_processing_time
  response_processing_time elb_status_code target_status_code received_bytes sent_bytes "request "user_agent
  ssl_cipher ssl_protocol target_group_arn "trace_id`.split(/\s+/)
/** After these new ones are added from time to time: they have no part in an event, and may be missing. */
const LATER = `"domain_name "chosen_cert_arn matched_rule_priority request_creation_time "actions_executed
  "redirect_url "error_reason "target_port_list "target_status_code_list "classification
  "classification_reason conn_trace_id`.split(/\s+/)

/** `time` is when the response was given to the client. The trace id names the request. */
export function albFormat(): LogFormat {
  const pattern = linePattern(partsOf(FIELDS), { isEscaped: true })
  invariant(pattern.ok, 'every field of ALB ends at a space or a quote')
  const read: LogFormat['read'] = (line) => {
    const end = endOfTraceId(line)
    const fields = pattern.read(line.slice(0, end))
    if ('code' in fields) return fields
    const later = readLater(line.slice(end))
    if (!later) return refuseLine('log/unreadable', 'The line is not as ALB writes it after trace_id.')
    return new Map([...fields, ...later])
  }
  const fields = [...FIELDS, ...LATER].map((field) => field.replace('"', ''))
  return {
    name: 'alb',
    encoding: 'latin1',
    fields,
    roles: { request: 'request', status: 'elb_status_code', time: 'time', id: 'trace_id' },
    headerField: (header) => (header.toLowerCase() === 'user-agent' ? 'user_agent' : undefined),
    read,
  }
}

function partsOf(names: readonly string[]): readonly Part[] {
  return names.flatMap((name, at): readonly Part[] => {
    const isQuoted = name.startsWith('"')
    const space = at === 0 ? '' : ' '
    if (!isQuoted) return [...(space ? [{ literal: space }] : []), { field: name, form: 'word' as const }]
    return [{ literal: `${space}"` }, { field: name.slice(1), form: 'text' as const }, { literal: '"' }]
  })
}

const TOKEN = /(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s"]+))(?: |$)/y

/** The fields up to and with trace_id are the first 18. */
function endOfTraceId(line: string): number {
  TOKEN.lastIndex = 0
  for (let count = 0; count < FIELDS.length; count++) {
    if (!TOKEN.test(line)) return line.length
    if (count === FIELDS.length - 1) return TOKEN.lastIndex - (line[TOKEN.lastIndex - 1] === ' ' ? 1 : 0)
  }
  return line.length
}

function readLater(rest: string): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>()
  TOKEN.lastIndex = 1
  for (const name of LATER) {
    if (TOKEN.lastIndex >= rest.length || rest === '') return values
    const match = TOKEN.exec(rest)
    if (!match) return undefined
    values.set(name.replace('"', ''), match[1] ?? match[2]!)
  }
  return values
}
