import fastify from 'fastify'
import { cpuSeconds, doTasks } from '../run/tasks.ts'

const server = fastify({ logger: false })
const answer = { accepted: 1, duplicates: 0, conflicts: 0, held: 0, rejected: 0, problems: [] }

// The least that a server of this kind can do: read the body as JSON, and answer as Farthing would.
server.post('/v1/events', async () => answer)

doTasks({ start: () => server.listen({ port: 0, host: '127.0.0.1' }), cpuSeconds }, () => server.close())
