import t from 'tap'
import { parseQuery } from '../../src/origin/encoding.js'
import { findRoute, ROUTES } from '../../src/origin/routes.js'

const find = (on: 'service' | 'bucket' | 'object', method: string, query: string, fields: [string, string][] = []) =>
  findRoute(on, method, parseQuery(query), new Map(fields)).name
const COPY: [string, string][] = [['x-amz-copy-source', '/b/k']]

t.test('each row is found by what it asks for', async (t) => {
  for (const route of ROUTES) {
    const on = route.on === 'new-bucket' ? 'bucket' : route.on
    t.equal(find(on, route.method, route.query.join('&'), route.copy === true ? COPY : []), route.name, route.name)
  }
})

t.test('parameters that choose nothing change nothing', async (t) => {
  t.equal(find('object', 'GET', 'x-id=GetObject&response-content-type=a&versionId=null'), 'GetObject')
  t.equal(find('object', 'GET', 'partNumber=2'), 'GetObject')
  t.equal(find('bucket', 'GET', 'list-type=2&prefix=a'), 'ListObjectsV2')
  t.equal(find('bucket', 'GET', 'prefix=a'), 'ListObjects')
})

t.test('an operation that is not built is never taken for another', async (t) => {
  const unbuilt: [Parameters<typeof find>[0], string, string][] = [
    ['object', 'GET', 'torrent'],
    ['object', 'DELETE', 'retention'],
    ['object', 'DELETE', 'legal-hold'],
    ['object', 'GET', 'restore'],
    ['object', 'POST', 'select'],
    ['object', 'PUT', 'uploadId=1'],
    ['bucket', 'PUT', 'lifecycle'],
    ['bucket', 'DELETE', 'versioning'],
    ['bucket', 'GET', 'inventory'],
    ['bucket', 'POST', ''],
    ['object', 'POST', ''],
  ]
  for (const [on, method, query] of unbuilt) {
    t.throws(() => find(on, method, query), { code: 'NotImplemented' }, `${method} ${on} ?${query}`)
  }
  t.throws(() => find('object', 'PATCH', ''), { code: 'MethodNotAllowed' })
})
