import { type Bill, type BillHead } from './bill.ts'
import { billId } from './bill-id.ts'
import { billText, lineText } from './digest-text.ts'
import type { Draft } from './draft-bill.ts'

/** SHA-256 of a text's UTF-8 bytes, in lower-case hexadecimal. Passed in: the core has no packages. */
export type Sha256 = (text: string) => string

/** Everything on a bill that does not follow from usage and prices. */
export type Issue = Omit<BillHead, 'id' | 'total' | 'components' | 'linesDigest'>

/** Make the bill that the draft and the circumstances of its issue determine, down to its digest. */
export function issueBill(issue: Issue, draft: Draft, sha256: Sha256): Bill {
  const { lines, total, components } = draft
  const head: BillHead = {
    ...issue,
    id: billId(issue.account, issue.hour),
    total,
    components,
    linesDigest: sha256(lines.map((line) => lineText(issue.hour, line)).join('')),
  }
  return { ...head, digest: sha256(billText(head)), lines }
}
