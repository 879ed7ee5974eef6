import { Command } from 'commander'
import type { PriceVersionHead } from '../../api/price-book.ts'
import { readableNumber, readableTime, safeText } from '../../core/present/readable-text.ts'
import type { Column } from '../../core/present/text-table.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'

/** `price-book list`: all versions. */
export function listCommand(): Command {
  const command = new Command('list').summary('list the published versions').description(
    prose(`Lists the versions of the prices, newest first: when each was published, whether it brought a price book or
        a price list, and by whom.`),
  )
  return withListOptions(command, 'version')
    .addHelpText('after', examples(['farthing price-book list', 'when did prices change?']))
    .action((options: ListOptions) =>
      printList(options, 'GET /v1/price-book/versions', {}, tableOf(COLUMNS, rowOf, 'No versions.')),
    )
}

const COLUMNS: readonly Column[] = [
  { heading: 'Version', align: 'right' },
  { heading: 'Published, UTC', align: 'left' },
  { heading: 'What', align: 'left', shrinks: true },
  { heading: 'By', align: 'left', shrinks: true },
  { heading: 'Digest', align: 'left', drops: 1 },
  { heading: 'Remarks', align: 'right' },
]

function rowOf({ version, publishedAt, publishedBy, digest, remarks, ...head }: PriceVersionHead) {
  const count = readableNumber(String(remarks.length))
  return {
    cells: [
      String(version),
      readableTime(publishedAt),
      head.published === 'price_book' ? 'price book' : `price list ${safeText(head.priceList ?? '')}`.trim(),
      safeText(publishedBy),
      digest.slice(0, 12),
      count,
    ],
  }
}
