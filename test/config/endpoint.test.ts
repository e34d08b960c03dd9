import fc from 'fast-check'
import t from 'tap'
import { parseEndpoint } from '../../src/config/endpoint.js'

const good: readonly (readonly [string, string, number])[] = [
  ['https://s3.eu-central-1.amazonaws.com', 's3.eu-central-1.amazonaws.com', 443],
  ['https://s3.eu-central-1.amazonaws.com/', 's3.eu-central-1.amazonaws.com', 443],
  ['https://s3.{region}.amazonaws.com', 's3.{region}.amazonaws.com', 443],
  ['https://s3-{region}.example.com:9000', 's3-{region}.example.com', 9000],
  ['https://MinIO.Example.com:1', 'minio.example.com', 1],
  ['https://localhost:65535', 'localhost', 65535],
  ['https://10.0.0.7:9000', '10.0.0.7', 9000],
  ['https://[::1]', '::1', 443],
  ['https://[2001:DB8::1]:9000/', '2001:DB8::1', 9000],
]

for (const [text, hostname, port] of good) {
  t.test(text, async (t) => t.same(parseEndpoint(text), { type: 'endpoint', hostname, port }))
}

const bad = [
  ...['', 's3.example.com', 'http://s3.example.com', 'HTTPS://s3.example.com', ' https://s3.example.com', 'https:/s3'],
  ...['https://', 'https:///', 'https://:443', 'https://[]', 'https://[::1', 'https://::1', 'https://[::1]x'],
  ...['https://s3.example.com/path', 'https://s3.example.com//', 'https://s3.example.com?', 'https://s3.example.com#'],
  ...['https://a@s3.example.com', 'https://a:b@s3.example.com', 'https://s3.example.com@evil.example.com'],
  ...[
    'https://s3.example.com:',
    'https://s3.example.com:0',
    'https://s3.example.com:65536',
    'https://s3.example.com:+1',
  ],
  ...['https://s3.example.com:9e3', 'https://s3.example.com:9:9', 'https://s3 .example.com', 'https://s3.example.com '],
  ...[
    'https://s3..example.com',
    'https://.example.com',
    'https://example.com.',
    'https://-a.example.com',
    'https://a_b.c',
  ],
  ...['https://s3.{Region}.example.com', 'https://{region}{region}.c', 'https://{region', 'https://127.1', 'https://1'],
  ...[
    'https://s3.example.com\\evil',
    'https://s3.example.com%2f',
    'https://s3.exämple.com',
    'https://s3.example.com\n',
  ],
]

for (const text of bad) {
  t.test(`no endpoint: ${JSON.stringify(text)}`, async (t) => {
    const result = parseEndpoint(text)
    t.equal(result.type, 'problem')
    if (result.type === 'problem') t.match(result.message, /^(must|can|has) .{10,}/)
  })
}

t.test('what it takes is what a URL parser takes, without repairs', async () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}[a-z0-9]$/)
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 65535 }), (labels, port) => {
      const text = `https://${labels.join('.')}:${port}`
      const result = parseEndpoint(text)
      const url = new URL(text)
      // Punycode that is no punycode: names, but not to a URL parser.
      if (labels.some((one) => one.startsWith('xn--'))) return true
      return result.type === 'endpoint' && result.hostname === url.hostname && result.port === Number(url.port || '443')
    }),
  )
})

t.test('no host gets in that a URL parser would read as another', async () => {
  const piece = fc.constantFrom(
    'a',
    '.',
    '-',
    ':',
    '@',
    '/',
    '\\',
    '?',
    '#',
    '[',
    ']',
    '1',
    '0x7f',
    '%',
    '{region}',
    '..',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = `https://${pieces.join('')}`
      const result = parseEndpoint(text)
      if (result.type === 'problem') return true
      const url = new URL(text.replace('{region}', 'region'))
      return url.hostname.replace(/[[\]]/g, '') === result.hostname.replace('{region}', 'region')
    }),
    { numRuns: 2000 },
  )
})
