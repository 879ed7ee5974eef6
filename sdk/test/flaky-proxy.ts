import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What becomes of one request on its way. */
export type Mishap =
  | 'pass'
  /** Cut off before the server has it; after it has stored everything; in the middle of the answer. */
  | 'cut'
  | 'cut after'
  | 'half an answer'
  /** Stored, but the answer comes too late. */
  | 'slow'
  /** A page that is not Farthing's, with status 200. */
  | 'login page'
  /** Somewhere else. */
  | 'redirect'
  /** A status, in the form of Farthing's problems. */
  | number
  /** A status, with a page of something in between. */
  | `page ${number}`

export interface FlakyProxy {
  readonly url: string
  /** What happens to the next requests; then `pass`. Or, by number of the request from 0, and its body. */
  mishaps: Mishap[] | ((number: number, body: string) => Mishap)
  /** Requests that came, and the bodies that were passed on. */
  readonly requests: () => number
  readonly bodies: readonly string[]
  close(): Promise<void>
}

/** How long a slow answer takes: longer than the time limit of the meters that meet it. */
export const SLOW_MS = 600

export async function flakyProxy(target: string): Promise<FlakyProxy> {
  let requests = 0
  const bodies: string[] = []
  const server = createServer((incoming, answer) => {
    const number = requests++
    const mishapOf = (body: string) => {
      const { mishaps } = proxy
      return typeof mishaps === 'function' ? mishaps(number, body) : (mishaps.shift() ?? 'pass')
    }
    void pass({ target, mishapOf, bodies }, incoming, answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const proxy: FlakyProxy = {
    url: `http://127.0.0.1:${port}`,
    mishaps: [],
    requests: () => requests,
    bodies,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}

interface Passing {
  readonly target: string
  readonly mishapOf: (body: string) => Mishap
  readonly bodies: string[]
}

async function pass(
  { target, mishapOf, bodies }: Passing,
  incoming: IncomingMessage,
  answer: ServerResponse,
) {
  const body = await read(incoming)
  const mishap = mishapOf(body.toString())
  if (mishap === 'cut') return void incoming.socket.destroy()
  if (typeof mishap === 'number') {
    answer.writeHead(mishap, { 'content-type': 'application/problem+json', 'retry-after': '0' })
    return void answer.end(JSON.stringify({ status: mishap, code: `proxy/status_${mishap}`, detail: 'No.' }))
  }
  const [, page] = /^page (\d+)$/.exec(mishap) ?? []
  if (page) return void answer.writeHead(Number(page)).end('<h1>Sorry</h1>')
  if (mishap === 'login page') return void answer.writeHead(200).end('<h1>Please log in</h1>')
  if (mishap === 'redirect') return void answer.writeHead(302, { location: '/elsewhere' }).end()
  bodies.push(body.toString())
  const stored = await forward(target, incoming, body)
  if (mishap === 'cut after') return void incoming.socket.destroy()
  if (mishap === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS))
  if (stored.encoding !== undefined) answer.setHeader('content-encoding', stored.encoding)
  answer.writeHead(stored.status, { 'content-type': stored.type, 'content-length': stored.body.length })
  if (mishap !== 'half an answer') return void answer.end(stored.body)
  answer.write(stored.body.subarray(0, 10), () => incoming.socket.destroy())
}

async function forward(target: string, { method, url, headers }: IncomingMessage, body: Buffer) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(target + url!, { method: method!, headers }, resolve)
    outgoing.on('error', reject)
    outgoing.end(body)
  })
  const { 'content-type': type = '', 'content-encoding': encoding } = response.headers
  return { status: response.statusCode!, type, encoding, body: await read(response) }
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
