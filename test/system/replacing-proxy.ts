import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Connection } from '../../src/store/connect.ts'

/** A way to a PostgreSQL on which what clients write is changed: a server that does something else. */
export interface ReplacingProxy {
  readonly connection: Connection
  stop(): Promise<void>
}

/** @param by as long as `text`, since messages carry their lengths */
export async function replacingProxy(
  connection: Connection,
  text: string,
  by: string,
): Promise<ReplacingProxy> {
  if (text.length !== by.length) throw new Error(`${text} and ${by} differ in length`)
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(`${connection.host}/.s.PGSQL.${connection.port}`)
    for (const end of [client, server]) {
      sockets.add(end)
      end.on('error', () => {})
      end.on('close', () => [client, server].forEach((each) => each.destroy()))
    }
    client.on('data', (bytes) => {
      server.write(Buffer.from(bytes.toString('latin1').replaceAll(text, by), 'latin1'))
    })
    server.on('data', (bytes) => client.write(bytes))
  })
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', () => resolve()))
  return {
    connection: { ...connection, host: '127.0.0.1', port: (proxy.address() as AddressInfo).port },
    async stop() {
      const closed = new Promise((resolve) => proxy.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
