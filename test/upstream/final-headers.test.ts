import { Readable } from 'node:stream'
import t from 'tap'
import { finalRequest } from '../../src/upstream/final-request.js'

const base = { hostname: 'h', port: 443, path: '/b/k' }
const stream = { type: 'stream', stream: Readable.from([]) } as const

t.test('headers that are final are not copied', async (t) => {
  const get = Object.freeze({ host: 'h', authorization: 'a' })
  t.equal(finalRequest({ ...base, method: 'GET', headers: get, body: { type: 'none' } }).headers, get)
  const put = Object.freeze({ host: 'h', 'content-length': '3', authorization: 'a' })
  t.strictSame(finalRequest({ ...base, method: 'PUT', headers: put, body: stream }), { headers: put, length: 3 })
  t.equal(finalRequest({ ...base, method: 'PUT', headers: put, body: stream }).headers, put)
})

t.test('what could still change is copied, and nothing of the caller is frozen', async (t) => {
  const headers: Record<string, string> = { host: 'h', 'content-length': '3' }
  const final = finalRequest({ ...base, method: 'PUT', headers, body: stream })
  headers['x'] = 'y'
  t.strictSame(final.headers, { host: 'h', 'content-length': '3' })
  t.ok(Object.isFrozen(final.headers))
})

t.test('the length stands behind a file name, is 0 where a body could be, and nowhere else', async (t) => {
  const namesOf = (method: string, headers: Readonly<Record<string, string>>, body: { type: 'none' } | typeof stream) =>
    Object.entries(finalRequest({ ...base, method, headers: Object.freeze(headers), body }).headers)
      .flat()
      .join(' ')
  const named = { 'content-length': '3', host: 'h', 'content-disposition': 'd' }
  t.equal(namesOf('PUT', named, stream), 'host h content-disposition d content-length 3')
  t.equal(namesOf('DELETE', { host: 'h' }, { type: 'none' }), 'host h content-length 0')
  t.equal(namesOf('POST', { 'content-length': '0', host: 'h' }, { type: 'none' }), 'content-length 0 host h')
  t.equal(namesOf('GET', { 'content-length': '0', host: 'h' }, { type: 'none' }), 'host h')
})
