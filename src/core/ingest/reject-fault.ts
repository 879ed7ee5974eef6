import type { JsonFault } from '../text/json/json-faults.ts'
import { sayFault } from '../text/json/say-fault.ts'
import { reject, type Rejection } from './rejection.ts'

/** The rejection of an event whose text says what no parser would keep: its numbers and keys are judged as sent. */
export function rejectFault(fault: JsonFault): Rejection {
  const code = fault.kind === 'repeated_key' ? 'event/repeated_key' : 'event/inexact_number'
  return reject(code, sayFault(fault, 'The event'))
}
