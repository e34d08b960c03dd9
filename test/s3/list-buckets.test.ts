import fc from 'fast-check'
import t from 'tap'
import { filterBuckets } from '../../src/s3/list-buckets.js'
import { refusal } from './refusal.js'

const bucket = (name: string) =>
  `<Bucket><Name>${name}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate><BucketRegion>eu</BucketRegion></Bucket>`
const list = (buckets: string) =>
  '<?xml version="1.0" encoding="UTF-8"?>\n<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
  `<Owner><ID>o</ID><DisplayName>d</DisplayName></Owner><Buckets>${buckets}</Buckets>` +
  '<Prefix>p</Prefix><ContinuationToken>c</ContinuationToken></ListAllMyBucketsResult>'

t.test('leaves out what is not to be shown, and nothing else', (t) => {
  const all = list(['alpha', 'beta', 'gamma'].map(bucket).join('\n  '))
  t.equal(
    filterBuckets(all, () => true),
    all,
  )
  t.equal(
    filterBuckets(all, (name) => name === 'beta'),
    list(`\n  ${bucket('beta')}\n  `),
  )
  t.equal(
    filterBuckets(all, () => false),
    list('\n  \n  '),
  )
  t.equal(
    filterBuckets(list(''), () => false),
    list(''),
  )
  t.end()
})

t.test('any selection', (t) => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9.-]{3,20}$/), { maxLength: 8 })
  fc.assert(
    fc.property(names, fc.infiniteStream(fc.boolean()), (all, coin) => {
      const kept = new Set(all.filter(() => coin.next().value))
      const shown = filterBuckets(list(all.map(bucket).join('')), (name) => kept.has(name))
      return (
        shown ===
        list(
          all
            .filter((name) => kept.has(name))
            .map(bucket)
            .join(''),
        )
      )
    }),
  )
  t.end()
})

t.test('odd forms do not let a name through', (t) => {
  const keep = (name: string) => name === 'mine'
  for (const odd of [
    '<Bucket/>',
    '<Bucket><CreationDate>x</CreationDate></Bucket>',
    '<Bucket><Name/></Bucket>',
    '<Bucket a="1&gt;2"><Name>theirs</Name></Bucket>',
    '<Bucket ><Name >theirs</Name ></Bucket >',
    '<Bucket><Name>th&#101;irs</Name></Bucket>',
    '<Bucket><Name>mine</Name><Name>theirs</Name></Bucket>',
    '<Bucket><!-- <Bucket> --><Name>theirs</Name></Bucket>',
    '<Bucket><Other><Name>mine</Name></Other></Bucket>',
    '<Bucket><Name>constructor</Name></Bucket>',
  ]) {
    t.equal(filterBuckets(list(odd + bucket('mine')), keep), list(bucket('mine')), odd)
  }
  t.equal(filterBuckets(`\ufeff${list(bucket('theirs'))}`, keep), `\ufeff${list('')}`, 'a byte order mark')
  t.equal(
    filterBuckets(list(`😀\r\n${bucket('theirs')}😀${bucket('mine')}`), keep),
    list(`😀\r\n😀${bucket('mine')}`),
    'places are right behind wide characters and line ends',
  )
  t.end()
})

t.test('an answer that cannot be read is not shown at all', (t) => {
  for (const xml of ['', 'x', list(bucket('a')).slice(0, -5), list('<Bucket>'), list('&x;')]) {
    t.equal(refusal(() => filterBuckets(xml, () => true)).code, 'InternalError')
  }
  t.end()
})
