import { createServer, type AddressInfo, type Server } from 'node:net'

/** So many ports of 127.0.0.1 that were free a moment ago, for programs that cannot be given port 0. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** The first of so many free ports in a row, below the range that the system gives out by itself. */
export async function freeRange(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = 10_000 + Math.floor(Math.random() * 20_000)
    const opened: Server[] = []
    try {
      for (let port = first; port < first + count; port++) opened.push(await listen(port))
      return first
    } catch {
      // taken: somewhere else
    } finally {
      await Promise.all(opened.map((server) => new Promise((resolve) => server.close(resolve))))
    }
  }
  throw new Error(`no ${count} free ports in a row`)
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
