import { Command } from 'commander'
import { listSourcesCommand } from './sources-list.ts'
import { manifestCommand, sourcesOfHourCommand } from './sources-manifest.ts'
import { acknowledgeCommand, silentSourcesCommand } from './sources-silent.ts'

/** `sources`: who sends usage, how late, how completely; and who has stopped. */
export function sourcesCommand(): Command {
  return new Command('sources')
    .summary('list sources: which send late, which have fallen silent, and what they have announced')
    .description('Sources send usage. Without a command it lists those that have sent some lately.')
    .addCommand(listSourcesCommand(), { isDefault: true })
    .addCommand(silentSourcesCommand())
    .addCommand(acknowledgeCommand())
    .addCommand(manifestCommand())
    .addCommand(sourcesOfHourCommand())
}
