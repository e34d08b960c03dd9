import t from 'tap'
import { restoreWritesElsewhere } from '../../src/s3/restore-request.js'
import { refusal } from './refusal.js'

const NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

t.test('a restore in place', (t) => {
  for (const xml of [
    '',
    '<RestoreRequest/>',
    `<RestoreRequest ${NS}><Days>5</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters></RestoreRequest>`,
    '<RestoreRequest><Description>OutputLocation Type</Description></RestoreRequest>',
  ]) {
    t.notOk(restoreWritesElsewhere(xml), xml)
    t.notOk(restoreWritesElsewhere(Buffer.from(xml)), xml)
  }
  t.end()
})

t.test('one that makes S3 write', (t) => {
  for (const xml of [
    `<RestoreRequest ${NS}><OutputLocation><S3><BucketName>b</BucketName></S3></OutputLocation></RestoreRequest>`,
    '<RestoreRequest><OutputLocation/></RestoreRequest>',
    '<RestoreRequest><Type>SELECT</Type></RestoreRequest>',
    '<RestoreRequest><SelectParameters/></RestoreRequest>',
    '<s:RestoreRequest xmlns:s="u"><s:OutputLocation/></s:RestoreRequest>',
    '<Any><Where><OutputLocation/></Where></Any>',
  ]) {
    t.ok(restoreWritesElsewhere(xml), xml)
  }
  t.end()
})

t.test('one that cannot be read', (t) => {
  for (const xml of [' ', '<RestoreRequest>', '<!DOCTYPE a><a/>', '<a><![CDATA[<OutputLocation/>]]></a>', 'Days=5']) {
    t.equal(refusal(() => restoreWritesElsewhere(xml)).code, 'MalformedXML', xml)
  }
  t.end()
})
