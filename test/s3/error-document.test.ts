import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import t from 'tap'
import { errorDocument } from '../../src/s3/error-document.js'
import { S3Error } from '../../src/s3/error.js'
import { unicode } from './unicode.js'

const read = (xml: string) => {
  const found: Record<string, string> = {}
  const path: string[] = []
  const parser = new SaxesParser()
  parser.on('opentag', ({ name }) => {
    path.push(name)
    if (path.length === 2) found[name] = ''
  })
  parser.on('text', (text) => {
    if (path.length === 2) found[path[1] as string] = `${found[path[1] as string] ?? ''}${text}`
  })
  parser.on('closetag', () => {
    path.pop()
  })
  parser.write(xml).close()
  return found
}

t.test("S3's document", (t) => {
  const error = new S3Error('SignatureDoesNotMatch', {
    message: 'No.',
    extra: { AWSAccessKeyId: 'AK', CanonicalRequest: 'GET\n/a&b\n' },
    cause: new Error('for the log only'),
  })
  t.equal(
    errorDocument(error, { resource: '/b/<k>', requestId: 'R1' }),
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>No.</Message>' +
      '<AWSAccessKeyId>AK</AWSAccessKeyId><CanonicalRequest>GET\n/a&amp;b\n</CanonicalRequest>' +
      '<Resource>/b/&lt;k&gt;</Resource><RequestId>R1</RequestId></Error>',
  )
  t.end()
})

t.test('well-formed whatever the texts hold', (t) => {
  const text = fc.oneof(
    unicode(),
    fc.constantFrom(']]>', '</Message>', '\0', '\ud800', '\uffff', '\r\n', '&#0;', '<!--', '\x85\u2028'),
  )
  fc.assert(
    fc.property(text, text, text, (message, extra, resource) => {
      const error = new S3Error('InvalidArgument', { message, extra: { ArgumentValue: extra } })
      const found = read(errorDocument(error, { resource, requestId: 'R' }))
      return (
        Object.keys(found).join() === 'Code,Message,ArgumentValue,Resource,RequestId' &&
        found['Code'] === 'InvalidArgument' &&
        (/[^\t\n\r\x20-\ud7ff]/.test(message) || found['Message'] === message)
      )
    }),
  )
  t.end()
})
