import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a server on which answers can get lost. */
export interface LosingProxy {
  readonly url: string
  /** The next so many answers are lost: the server has given them, and the connection ends instead. */
  lose(answers: number): void
  /** How many were lost. */
  readonly lost: () => number
  close(): Promise<void>
}

export async function losingProxy(target: string): Promise<LosingProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let toLose = 0
  let lost = 0
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname)
    for (const end of [client, server]) {
      sockets.add(end)
      end.on('error', () => {})
      end.on('close', () => {
        sockets.delete(end)
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server)
    server.on('data', (bytes) => {
      if (toLose === 0) return void client.write(bytes)
      toLose--
      lost++
      client.destroy()
    })
  })
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', () => resolve()))
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    lose: (answers) => void (toLose = answers),
    lost: () => lost,
    async close() {
      const closed = new Promise((resolve) => proxy.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
