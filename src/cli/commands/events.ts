import type { SetExitCode } from '../terminal/command-failed.ts'
import { Command } from 'commander'
import { checkEventsCommand } from './events-check.ts'

/** `events`: usage that is not sent yet. */
export function eventsCommand(setExitCode: SetExitCode): Command {
  return new Command('events')
    .summary('check events before they are sent')
    .description('Events say what was used. Before sending them for good, ask what would become of them.')
    .addCommand(checkEventsCommand(setExitCode))
}
