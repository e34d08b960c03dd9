import fc from 'fast-check'
import t from 'tap'
import { fieldsOf } from '../../src/s3/fields.js'
import { isRegion, regionDirectory, regionFromAnswer } from '../../src/upstream/regions.js'

const learned = (maxBuckets?: number): ReturnType<typeof regionDirectory> =>
  regionDirectory({ region: { type: 'learned', first: 'us-east-1' } }, maxBuckets)

t.test('a fixed region is everybody’s, whatever an answer says', async (t) => {
  const directory = regionDirectory({ region: { type: 'fixed', region: 'garage' } })
  directory.learn('photos', 'eu-west-1')
  t.equal(directory.regionOf('photos'), 'garage')
})

t.test('a learned region is remembered, and learned anew', async (t) => {
  const directory = learned()
  t.equal(directory.regionOf('photos'), 'unknown')
  t.equal(directory.regionOf('service'), 'unknown', 'a bucket may have any name')
  directory.learn('photos', 'eu-west-1')
  t.equal(directory.regionOf('photos'), 'eu-west-1')
  directory.learn('photos', 'eu-west-2')
  t.equal(directory.regionOf('photos'), 'eu-west-2')
  directory.learn('photos', 'evil.example/')
  t.equal(directory.regionOf('photos'), 'eu-west-2', 'what is no region is not learned')
  t.equal(directory.regionOf('__proto__'), 'unknown')
})

t.test('the bucket that was asked for longest ago is forgotten first', async (t) => {
  const directory = learned(2)
  directory.learn('a', 'r1')
  directory.learn('b', 'r2')
  directory.regionOf('a')
  directory.learn('c', 'r3')
  t.same(
    ['a', 'b', 'c'].map((bucket) => directory.regionOf(bucket)),
    ['r1', 'unknown', 'r3'],
  )
})

t.test('any number of buckets takes the room of maxBuckets', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 }), (buckets) => {
      const directory = learned(5)
      for (const bucket of buckets) directory.learn(`b${bucket}`, 'r')
      const known = [...Array(31).keys()].filter((bucket) => directory.regionOf(`b${bucket}`) !== 'unknown')
      return known.length === Math.min(5, new Set(buckets).size)
    }),
  )
})

const header = (value: string): ReturnType<typeof fieldsOf> => fieldsOf(['X-Amz-Bucket-Region', value])
const malformed = (region: string): string =>
  '<?xml version="1.0"?>\n<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is ' +
  `malformed; the region 'us-east-1' is wrong; expecting '${region}'</Message><Region>${region}</Region></Error>`

t.test('S3’s refusals tell the region in their header', async (t) => {
  for (const status of [301, 307, 400, 403]) t.equal(regionFromAnswer(status, header('eu-west-1')), 'eu-west-1')
  for (const status of [200, 304, 404, 500, 503]) t.equal(regionFromAnswer(status, header('eu-west-1')), 'unknown')
})

t.test('the error document tells it where the header does not', async (t) => {
  const none = fieldsOf([])
  t.equal(regionFromAnswer(400, none, malformed('eu-west-1')), 'eu-west-1')
  t.equal(regionFromAnswer(400, none), 'unknown')
  t.equal(regionFromAnswer(301, none, malformed('eu-west-1')), 'unknown')
  t.equal(regionFromAnswer(400, header('eu-west-2'), malformed('eu-west-1')), 'eu-west-2')
  const other = '<Error><Code>InvalidRequest</Code><Region>eu-west-1</Region></Error>'
  t.equal(regionFromAnswer(400, none, other), 'unknown')
})

t.test('a Location is never followed, and what could change the host is no region', async (t) => {
  t.equal(regionFromAnswer(307, fieldsOf(['Location', 'https://b.s3.eu-west-1.amazonaws.com/'])), 'unknown')
  for (const region of [
    'evil.example',
    'eu-west-1,eu-west-2',
    'eu-west-1/',
    'EU-WEST-1',
    '',
    '-x',
    'x-',
    'a'.repeat(64),
  ]) {
    t.equal(regionFromAnswer(301, header(region)), 'unknown', region)
    t.equal(regionFromAnswer(400, fieldsOf([]), malformed(region)), 'unknown', region)
    t.equal(isRegion(region), false)
  }
})
