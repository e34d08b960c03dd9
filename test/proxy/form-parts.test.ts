import t from 'tap'
import { formEnd, formHead } from '../../src/proxy/form-parts.js'
import { scanFormFile } from '../../src/s3/form-file.js'
import { readFormHead } from '../../src/s3/form-head.js'

const BOUNDARY = '--------0123456789abcdef0123456789abcdef'

t.test('an end of any length ends the form', (t) => {
  const shortest = BOUNDARY.length + 6
  for (let length = shortest; length < 400; length += 1) {
    const end = formEnd(BOUNDARY, length)
    t.equal(end.length, length)
    const scanner = scanFormFile(BOUNDARY)
    t.same(Buffer.concat([...scanner.push(Buffer.concat([Buffer.from('file'), end]))]).toString(), 'file')
    scanner.finish()
  }
  t.equal(formEnd(BOUNDARY, shortest + 2).toString(), `\r\n--${BOUNDARY}--\r\n`, 'as browsers end a form')
  t.match(formEnd(BOUNDARY, 300).toString(), /name="x-ignore-rest"/, 'room for a button is filled with a field')
  t.end()
})

t.test('a head reads back as it was meant, whatever the values hold', (t) => {
  const fields = [
    ['key', 'a\r\n--x\r\nContent-Disposition: form-data; name="acl"\r\n\r\nž'],
    ['x-amz-meta-a', '"'],
  ] as const
  const progress = readFormHead(BOUNDARY)(Buffer.concat([formHead(fields, BOUNDARY), Buffer.from('file')]))
  t.match(progress, { type: 'head', head: { fields: new Map(fields), filename: 'file' } })
  t.equal(progress.type === 'head' && progress.rest.toString(), 'file')
  t.end()
})
