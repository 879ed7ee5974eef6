import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Cleanup } from './cleanup.ts'

/** A process of the bench, which does one task after the other. */
export interface Child {
  /** Have it do a task. Rejects when the task fails, and when the process ends before. */
  ask<Answer>(task: string, argument?: unknown): Promise<Answer>
  end(): Promise<void>
}

/** What a child answers to a task. */
export type Reply =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string }

/** It stops what it runs by itself; after this long it is killed. */
const END_PATIENCE_MS = 30_000

/**
 * Start a module as a process of its own: what is measured must not share its thread with what measures.
 * @param cpuProf a folder for its CPU profile; undefined: none
 */
export function startChild(module: URL, cleanup: Cleanup, cpuProf?: string): Child {
  const profiling = cpuProf === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${cpuProf}`]
  const child = fork(fileURLToPath(module), { execArgv: ['--enable-source-maps', ...profiling] })
  // A failing channel is no end: only the exit is.
  child.on('error', () => undefined)
  const gone = new Promise<undefined>((resolve) => child.once('exit', () => resolve(undefined)))
  let ended: Promise<void> | undefined
  const end = () => (ended ??= endChild(child, gone))
  cleanup.add(end)
  return {
    end,
    async ask<Answer>(task: string, argument?: unknown) {
      const replied = new Promise<Reply>((resolve) => child.once('message', resolve))
      if (child.connected) child.send({ task, argument })
      const reply = await Promise.race([replied, gone])
      if (reply === undefined) throw new Error(`a process of the bench ended while it should ${task}`)
      if (!reply.ok) throw new Error(`${task}: ${reply.why}`)
      return reply.value as Answer
    },
  }
}

async function endChild(child: ChildProcess, gone: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  if (child.connected) child.disconnect()
  const killer = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS)
  await gone
  clearTimeout(killer)
}
