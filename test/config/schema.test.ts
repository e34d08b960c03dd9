import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { buildConfig } from '../../src/config/build.js'
import type { ConfigDocument } from '../../src/config/document.js'
import { readSchema, schemaCheck } from '../../src/config/schema.js'
import { resolveSecrets } from '../../src/config/secrets.js'
import { viewOf } from '../../src/config/view.js'
import { fieldOf, schemaFields, type SchemaNode } from './schema-fields.js'

const root = new URL('../../', import.meta.url)
const schema = readSchema() as SchemaNode
const fields = schemaFields(schema)

t.test('is found from the sources and from what is built of them', async (t) => {
  t.same(readSchema(new URL('src/config/schema.ts', root).href), schema)
  t.same(readSchema(new URL('dist/src/config/schema.js', root).href), schema)
  t.throws(() => readSchema('file:///nowhere/src/config/schema.js'), /incomplete/)
})

t.test('describes every field, for editors', async (t) => {
  t.ok(fields.length > 60, 'the walk sees the fields')
  for (const { path, node } of fields) t.match(node.description, /^.{15,}/, path)
})

t.test('says in words what a pattern wants, and lets no unknown field pass', async (t) => {
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    const { pattern, errorMessage, properties, additionalProperties } = node as SchemaNode
    if (typeof pattern === 'string') t.type(errorMessage, 'string', path)
    if (properties !== undefined) t.equal(additionalProperties, false, path)
    for (const [name, child] of Object.entries(node)) if (name !== 'default') visit(child, `${path}/${name}`)
  }
  visit(schema, '#')
})

t.test('has no default together with a requirement', async (t) => {
  for (const { path, node, required } of fields) if (required) t.equal(node.default, undefined, path)
})

/** Notes every member that is looked at. */
function watched<T>(value: T, read: Set<string>, path: readonly string[] = []): T {
  if (typeof value !== 'object' || value === null) return value
  return new Proxy(value, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name)
      if (typeof name === 'symbol' || typeof found === 'function' || (Array.isArray(target) && name === 'length')) {
        return found
      }
      const at = [...path, name]
      if (!Array.isArray(target)) read.add(fieldOf(at))
      return watched(found, read, at)
    },
  })
}

const full = (credentials: object | string, region: string) => ({
  listeners: [
    { https: { port: 1, cert: 'c', key: 'k', clientCa: 'ca' } },
    { http: { port: 2, anonymous: 'guest' } },
    { unix: { path: 'p', anonymous: 'guest' } },
  ],
  upstream: { endpoint: 'https://s3.example.com', region, ca: 'ca', credentials },
  identities: [
    {
      name: 'a',
      accessKeyId: { file: 'f' },
      secretAccessKey: { env: 'S' },
      grants: [{ bucket: '*', permissions: ['read'] }],
      upstreamCredentials: credentials,
    },
    { name: 'guest', anonymous: true, grants: [{ bucket: '*', permissions: ['read'] }] },
  ],
  keyrings: [
    {
      name: 'main',
      type: 'derived',
      file: 'f',
      kms: { region: 'us-east-1', endpoint: 'https://kms.example.com', ca: 'ca', credentials },
    },
  ],
  rules: [{ bucket: 'bucket', keyring: 'main', bucketIdentity: 'other' }],
  admin: { port: 3 },
  audit: { file: 'audit.jsonl', stdout: true },
  tracing: { endpoint: 'https://collector.example.com/v1/traces', ca: 'ca' },
})

t.test('has exactly the fields that are read', async (t) => {
  const reference = { env: 'S' }
  const documents = [
    full({ accessKeyId: 'AAA', secretAccessKey: reference, sessionToken: reference }, 'us-east-1'),
    full({ profile: 'p' }, 'learned'),
    full('default', 'learned'),
  ]
  const check = schemaCheck(schema)
  const read = new Set<string>()
  for (const written of documents) {
    const shape = check(written)
    if (shape.type !== 'document') throw new Error(JSON.stringify(shape.errors))
    const document: ConfigDocument = watched(shape.document, read)
    const source = { env: { S: 's' }, readText: () => 'abc', baseDirectory: '/' }
    buildConfig(document, resolveSecrets(viewOf(document, document, []), source).texts, '/')
  }
  t.same([...read].sort(), fields.map(({ path }) => path).sort())
})

t.test('has exactly the fields and defaults of docs/configuration.md', async (t) => {
  const text = readFileSync(fileURLToPath(new URL('docs/configuration.md', root)), 'utf8')
  const rows = [...text.matchAll(/^\| `([^`]+)` +\| ([^|]+?) +\| (.{20,}) \|$/gm)]
  const documented = Object.fromEntries(rows.map(([, path, value]) => [path!, value!]))
  t.equal(rows.length, Object.keys(documented).length, 'none is there twice')
  const shown = (node: SchemaNode) => {
    if (node.default === undefined) return 'none'
    return `\`${typeof node.default === 'string' && node.default !== '' ? node.default : JSON.stringify(node.default)}\``
  }
  const expected = fields.map(({ path, node, required }) => [path, required ? 'required' : shown(node)])
  t.same(documented, Object.fromEntries(expected))
})
