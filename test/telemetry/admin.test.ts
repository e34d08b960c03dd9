import t, { type Test } from 'tap'
import { type AdminOptions, startAdmin } from '../../src/telemetry/admin.js'
import { StartError } from '../../src/server/start-error.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { once } from 'node:events'
import { request } from 'node:http'

async function admin(t: Test, given: Partial<AdminOptions> = {}) {
  const lines: string[] = []
  const log = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } })
  const metrics = async () => ({ contentType: 'text/x', text: 'a 1\n' })
  const status = () => ({ version: '1.2.3', uptimeSeconds: 7, failed: [] })
  const started = await startAdmin({ host: '127.0.0.1', port: 0, ready: () => true, metrics, status, log, ...given })
  t.teardown(started.close)
  const ask = async (path: string, method = 'GET') => {
    const [host, port] = started.address.split(':')
    // No agent, and no URL parser that would tidy the path up.
    const asked = request({ host, port, path, method, agent: false }).end()
    const [response] = await once(asked, 'response')
    let text = ''
    for await (const chunk of response) text += String(chunk)
    const policy = String(response.headers['content-security-policy'])
    return { status: response.statusCode as number, type: String(response.headers['content-type']), policy, text }
  }
  return { ask, lines, ...started }
}

t.test('health, readiness and metrics', async (t) => {
  let ready = false
  const { ask } = await admin(t, { ready: () => ready })
  t.match(await ask('/healthz'), { status: 200, text: 'ok\n' })
  t.match(await ask('/readyz'), { status: 503, text: 'not ready\n' })
  ready = true
  t.match(await ask('/readyz'), { status: 200, text: 'ready\n' })
  t.match(await ask('/metrics'), { status: 200, type: 'text/x', text: 'a 1\n' })
  t.match(await ask('/metrics?name=x'), { status: 200 })
  t.match(await ask('/readyz', 'HEAD'), { status: 200, text: '' })
})

t.test('the status page and what it reads, all from here', async (t) => {
  const { ask } = await admin(t)
  const page = await ask('/status')
  t.match(page, { status: 200, type: 'text/html; charset=utf-8', policy: /^default-src 'none'; script-src 'self'; / })
  t.notMatch(page.text, /https?:|<style|<script>|\son\w+=|style=/, 'nothing inline, nothing from elsewhere')
  t.match(await ask('/status.js'), { status: 200, type: 'text/javascript; charset=utf-8' })
  t.match(await ask('/status.css'), { status: 200, type: 'text/css; charset=utf-8' })
  t.notMatch((await ask('/status.js')).text, /innerHTML|insertAdjacent|document\.write|eval\(/)
  const json = await ask('/status.json')
  t.match(json, { status: 200, type: 'application/json', policy: /default-src 'none'/ })
  t.same(JSON.parse(json.text), { ready: true, version: '1.2.3', uptimeSeconds: 7, failed: [] })
})

t.test('exactly these paths, to be read only', async (t) => {
  const { ask } = await admin(t)
  const others = [
    '/',
    '/metrics-tenant',
    '/metrics/',
    '/METRICS',
    '//metrics',
    '/%6detrics',
    '/healthz/../metrics',
    '/status/',
    '/status.html',
    '/config/status/status.js',
    '/b/k',
  ]
  for (const path of others) t.match(await ask(path), { status: 404 }, path)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    t.match(await ask('/metrics', method), { status: 405 }, method)
})

t.test('metrics that fail are 500, and the reason is in the log only', async (t) => {
  const { ask, lines } = await admin(t, { metrics: () => Promise.reject(new Error('why it failed')) })
  const answer = await ask('/metrics')
  t.match(answer, { status: 500 })
  t.notMatch(answer.text, 'why it failed')
  t.match(lines.join(''), 'why it failed')
  t.match(await ask('/healthz'), { status: 200 })
})

t.test('a port in use is one line', async (t) => {
  const { address } = await admin(t)
  const port = Number(address.split(':')[1])
  await t.rejects(
    admin(t, { port }),
    new StartError(`admin ${address}: address already in use; stop the program that has it or configure another port`),
  )
})
