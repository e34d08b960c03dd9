import { rememberedVersions } from '../../src/keyring/cached.js'
import { parseTarget, splitTarget } from '../../src/s3/target.js'

/*
 * Fills a memory as requests do, with object keys that were cut out of their heads; prints bytes per object of heap and of buffers,
 * and whether the first and the last object are known. To be run with --expose-gc.
 */
const OBJECTS = 1_000_000

const REST = `\r\nuser-agent: ${'u'.repeat(250)}\r\n`

const collect = (globalThis as unknown as { readonly gc: () => void }).gc
const used = () => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** A bucket of 20 characters and an object key of 60, in a head of a usual size. */
const scopeOf = (i: number) => {
  const line = `GET /bucket-with-20-chars/year=2026/month=11/day=26/part-${String(i).padStart(12, '0')}-${'x'.repeat(8)}.parquet?x-id=GetObject HTTP/1.1`
  const head = Buffer.from(line + REST, 'latin1').toString('latin1')
  const { rawPath } = splitTarget(head.slice(4, head.indexOf(' HTTP')))
  const target = parseTarget(rawPath, 'localhost', [])
  if (target.type !== 'object') throw new Error('no object')
  const { bucket, objectKey } = target
  return { bucket, bucketIdentity: bucket, objectKey, version: { type: 'latest' } } as const
}

const before = used()
const memory = rememberedVersions(OBJECTS)
for (let i = 0; i < OBJECTS; i += 1) memory.set(scopeOf(i), { keyring: 'main', keyVersion: 'v'.concat('1') })
const bytes = (used() - before) / OBJECTS
const { bucket, objectKey } = scopeOf(0)
const names = bucket.length + objectKey.length
const known = [0, OBJECTS - 1].every((i) => memory.get(scopeOf(i)) !== 'unknown')
process.stdout.write(JSON.stringify({ bytes, names, known }))
