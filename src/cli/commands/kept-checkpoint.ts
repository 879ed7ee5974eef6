import { readFileSync } from 'node:fs'
import { readCheckpoint } from '../../core/log/checkpoint.ts'
import { readNote } from '../../core/log/signed-note.ts'
import { countOf, safeText } from '../../core/present/readable-text.ts'
import { findKeptLog, type KeptLog } from '../../flows/verify/kept-log.ts'
import type { KeptRoot } from '../../flows/verify/verify-log.ts'
import type { Sql } from '../../store/query.ts'
import { CommandFailed, systemReason } from '../terminal/command-failed.ts'

/** A checkpoint in a file: a note, the output of `farthing log show --json`, or what `farthing proof` wrote. */
export function readKeptCheckpoint(path: string): KeptRoot {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new CommandFailed(`${path} cannot be read (${systemReason(error)}): name a checkpoint.`)
  }
  const note = readNote(noteIn(text))
  const checkpoint = note && readCheckpoint(note.text)
  if (checkpoint) return checkpoint
  const forms =
    'name a file with /log/checkpoint, or one that farthing log show --json or farthing proof has written'
  throw new CommandFailed(`${path} has no checkpoint: ${forms}.`)
}

function noteIn(text: string): string {
  if (!text.trimStart().startsWith('{')) return text
  try {
    const file = JSON.parse(text) as { checkpoint?: unknown; proof?: { checkpoint?: unknown } }
    const found = file.proof?.checkpoint ?? file.checkpoint
    return typeof found === 'string' ? found : ''
  } catch {
    return ''
  }
}

/** What becomes of a kept checkpoint in the log as it is: lines for people. */
export async function describeKept(
  sql: Sql,
  kept: KeptRoot,
): Promise<KeptLog & { readonly lines: readonly string[] }> {
  const found = await findKeptLog(sql, kept)
  const { tree, common, continued, newestBill } = found
  const name = safeText(kept.origin)
  if (!tree)
    return { ...found, lines: [`The database has no log ${name}: your checkpoint is of another one.`] }
  const count = countOf(kept.size, 'entry')
  const lines =
    common === kept.size
      ? [`The log ${name} begins with the ${count} of your checkpoint.`]
      : continued.length > 0 && kept.size > tree.size
        ? [`Your checkpoint of the log ${name} has ${count}. It has ${tree.size} of them here.`]
        : [`The log ${name} does not begin with the ${count} of your checkpoint.`]
  if (newestBill) lines.push(`It covers bills up to ${safeText(newestBill)}.`)
  for (const one of continued)
    lines.push(
      `It ended after ${countOf(one.covered, 'entry')} and is continued as ${safeText(one.origin)}: ${safeText(one.reason)}.`,
    )
  return { ...found, lines }
}
