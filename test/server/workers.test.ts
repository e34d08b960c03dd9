import t from 'tap'
import { LOOPBACK, eventually, exchange, rawClient, temporaryFolder } from './harness.js'
import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs'
import type { ListenerConfig } from '../../src/config/types.js'
import { compile } from './compile.js'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { once } from 'node:events'
import { spawn } from 'node:child_process'

const COMPILED = compile(fileURLToPath(new URL('worker-program.ts', import.meta.url)))
t.teardown(() => rmSync(COMPILED.folder, { recursive: true }))

type Line = Readonly<Record<string, unknown>>

function program(
  t: { teardown(end: () => unknown): void },
  listeners: readonly ListenerConfig[],
  environment: Record<string, string> = {},
) {
  const child = spawn(process.execPath, [COMPILED.file], {
    env: { PATH: process.env.PATH, LISTENERS: JSON.stringify(listeners), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: Line[] = []
  let rest = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop() as string
    for (const part of parts) lines.push(JSON.parse(part) as Line)
  })
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const exit = once(child, 'close').then(([code]) => code as number)
  t.teardown(() => child.kill('SIGKILL'))
  const saying = (msg: string) => lines.filter((line) => line.msg === msg)
  const line = async (msg: string, nth = 1): Promise<Line> => {
    await eventually(() => saying(msg).length >= nth || child.exitCode !== null)
    const found = saying(msg)[nth - 1]
    if (found === undefined) throw new Error(`ended without "${msg}": ${errors}`)
    return found
  }
  const port = async () => Number((((await line('started')).addresses as string[])[0] as string).split(':').at(-1))
  return { child, line, saying, exit, port }
}

const put = (path: string, body: string) =>
  `PUT ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const pidOf = (answer: string) => Number(/x-pid: (\d+)/.exec(answer)?.[1])

/** A process that has ended may stay as a zombie where nobody waits for it, as in a container. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc/self') || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

t.test('workers share the port, their metrics are summed, a crashed one is replaced, a drain ends all', async (t) => {
  const { child, line, saying, exit, port: started } = program(t, [LOOPBACK])
  const port = await started()
  t.match(await line('started'), { ready: true })
  const pids = new Set<number>()
  for (let i = 0; i < 10; i++) pids.add(pidOf(await exchange(port, put('/a', 'ab'))))
  t.equal(pids.size, 2, 'both serve')

  // A bad request is one that metrics count here; the handler of this program makes no events.
  for (let i = 0; i < 3; i++) await exchange(port, 'nonsense\r\n\r\n')
  child.kill('SIGUSR2')
  const metrics = await line('metrics')
  t.equal(metrics.count, 2)
  t.match(
    metrics.text,
    /ssec_proxy_requests_total\{operation="unknown",status="400",outcome="refused",identity_class="none"\} 3\n/,
  )

  child.kill('SIGHUP')
  await line('reloaded', 2)

  t.equal(await exchange(port, put('/crash', '')), '')
  t.match(await line('worker ended, to be replaced'), { level: 'error', how: 'code 7', waitMs: 10 })
  t.match(await exchange(port, put('/a', 'ab')), /got 2/, 'the other one serves meanwhile')
  for (const seen = new Set<number>(); seen.size < 2;) {
    seen.add(pidOf(await exchange(port, put('/a', 'ab'))))
    for (const pid of seen) pids.add(pid)
  }
  t.equal(pids.size, 3)
  await line('crash heard')
  child.kill('SIGUSR2')
  const after = await line('metrics', 2)
  t.match(after.text, /identity_class="none"\} 3\n/, 'what the crashed one had counted is not forgotten')

  const upload = rawClient(port)
  upload.send(put('/slow', '0123456789').slice(0, -5))
  const idle = rawClient(port)
  await once(idle.socket, 'connect')
  // By now the upload was given to a worker, and whichever it is has read what came after it.
  for (const seen = new Set<number>(); seen.size < 2;) seen.add(pidOf(await exchange(port, put('/a', ''))))
  child.kill('SIGTERM')
  t.match(await idle.closed, '')
  upload.send('56789')
  t.match(await upload.closed, /got 10/)
  t.match(await line('drained'), { finished: 1, cut: 0, killed: 0, ready: false })
  t.equal(await exit, 0)
  t.equal(saying('worker ended, to be replaced').length, 1, 'workers that were told to go are not replaced')
  t.strictSame([...pids].filter(isAlive), [])
})

t.test('a worker that cannot start ends everything with its one line', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  const { line, exit } = program(t, [{ ...LOOPBACK, port } as ListenerConfig])
  t.match((await line('refused')).line, new RegExp(`^listener http 127\\.0\\.0\\.1:${port}: address already in use; `))
  t.equal(await exit, 1)
})

t.test('one of several that throws at its start ends the others too', async (t) => {
  const { line, exit } = program(t, [LOOPBACK], { FAIL: '2' })
  t.match((await line('refused')).line, /^a worker ended at its start \(code 1\)/)
  t.equal(await exit, 1)
})

t.test('a worker that hangs is killed after the limit, and does not keep metrics from the others', async (t) => {
  const { child, line, exit, port: started } = program(t, [LOOPBACK], { DRAIN_MS: '100' })
  const port = await started()
  const hanging = rawClient(port)
  hanging.send(put('/hang', ''))
  await eventually(() => hanging.socket.bytesWritten > 0)
  for (let asked = 1; ; asked++) {
    child.kill('SIGUSR2')
    if ((await line('metrics', asked)).count === 1) break
  }
  child.kill('SIGTERM')
  t.ok(((await line('drained')).killed as number) >= 1)
  t.equal(await exit, 0)
  await hanging.closed
})

t.test('workers end with a primary that is killed', async (t) => {
  const { child, port: started } = program(t, [LOOPBACK])
  const port = await started()
  const pids = new Set<number>()
  while (pids.size < 2) pids.add(pidOf(await exchange(port, put('/a', ''))))
  child.kill('SIGKILL')
  await eventually(() => ![...pids].some(isAlive))
  t.match(await exchange(port, put('/a', '')), /ECONNREFUSED/)
})

t.test('a unix socket is shared, closed to others, and gone at the end', async (t) => {
  const path = join(temporaryFolder(t), 's3.sock')
  const { child, line, exit } = program(t, [{ type: 'unix', path, anonymous: 'none' }])
  await line('started')
  t.equal(lstatSync(path).mode & 0o777, 0o660)
  const pids = new Set<number>()
  while (pids.size < 2) {
    const client = rawClient(path)
    client.send(put('/a', ''))
    pids.add(pidOf(await client.closed))
  }
  child.kill('SIGTERM')
  t.equal(await exit, 0)
  t.notOk(existsSync(path))
})
