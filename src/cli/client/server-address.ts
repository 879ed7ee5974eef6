import { resolve } from 'node:path'
import type { Command } from 'commander'
import { adminKeyPath, readAdminKey } from '../../flows/keys/admin-key-file.ts'
import { portRefusal, readPort, refuseUnknown } from '../../flows/start/environment.ts'
import { CommandFailed, EXIT, systemReason } from '../terminal/command-failed.ts'

/** Where the server is, and what it is shown. */
export interface ServerAddress {
  /** Without a slash at its end. */
  readonly url: string
  readonly key: string
}

export interface ServerOptions {
  readonly url?: string
}

/** For every command that asks the server. */
export function withServerOptions(command: Command): Command {
  return command.option(
    '--url <url>',
    'the server (FARTHING_URL; http://127.0.0.1:8080, or the port in PORT)',
  )
}

/**
 * The server that a command asks: `--url`, FARTHING_URL, or the one of this machine. The key is FARTHING_KEY,
 * or the admin key that the first start left in the data directory.
 */
export function serverAddress({ url }: ServerOptions, env: NodeJS.ProcessEnv = process.env): ServerAddress {
  const unknown = refuseUnknown(env)
  if (unknown) throw new CommandFailed(unknown)
  return { url: findUrl(url, env), key: readKey(env) }
}

function findUrl(url: string | undefined, env: NodeJS.ProcessEnv): string {
  if (url) return readUrl('--url', url)
  const named = env['FARTHING_URL']
  if (named) return readUrl('FARTHING_URL', named)
  const port = env['PORT'] || '8080'
  if (readPort(port) === undefined) throw new CommandFailed(portRefusal(port))
  return `http://127.0.0.1:${port}`
}

function readUrl(name: string, text: string): string {
  if (URL.canParse(text) && /^https?:\/\//i.test(text)) return text.replace(/\/+$/, '')
  throw new CommandFailed(`${name} ${text} is no address of a server: write http://host:port.`, EXIT.usage)
}

function readKey(env: NodeJS.ProcessEnv): string {
  const given = env['FARTHING_KEY']?.trim()
  if (given) return given
  const dataDir = resolve(env['FARTHING_DATA_DIR'] || '.farthing')
  const key = readKeyFile(dataDir)
  if (key) return key
  const what = `There is no key in ${adminKeyPath(dataDir)}`
  const advice = 'start the server first with `farthing serve`; if it runs elsewhere, set FARTHING_KEY'
  throw new CommandFailed(`${what}: ${advice}, or FARTHING_DATA_DIR to where it keeps its data.`)
}

function readKeyFile(dataDir: string): string | undefined {
  try {
    return readAdminKey(dataDir)
  } catch (error) {
    const reason = systemReason(error)
    const advice = 'run this as the user that started the server, or set FARTHING_KEY'
    throw new CommandFailed(`The key in ${adminKeyPath(dataDir)} cannot be read (${reason}): ${advice}.`)
  }
}
