import type { Reply } from './child.ts'

/** What a child can be asked to do. */
export type Tasks = Readonly<Record<string, (argument: never) => unknown>>

/**
 * Do the tasks that the bench sends to this process, until it goes away.
 * @param end stops what the process runs
 */
export function doTasks(tasks: Tasks, end: () => unknown = () => {}): void {
  // A terminal sends Ctrl-C to all processes: the first of them decides, and then lets go of this one.
  process.on('SIGINT', () => {})
  process.on('disconnect', () => void Promise.resolve(end()).finally(() => process.exit()))
  process.on('message', ({ task, argument }: { readonly task: string; readonly argument: never }) => {
    void answer(tasks, task, argument).then((reply) => process.connected && process.send!(reply))
  })
}

async function answer(tasks: Tasks, task: string, argument: never): Promise<Reply> {
  try {
    return { ok: true, value: await tasks[task]!(argument) }
  } catch (error) {
    return { ok: false, why: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

/** Seconds of CPU that this process has used so far. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
