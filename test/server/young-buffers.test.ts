import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { youngBuffers } from '../../src/server/young-buffers.js'

const MIB = 1024 * 1024

t.test('collects once for so many bytes, and after the turn in which they came', async (t) => {
  let times = 0
  const onBytes = youngBuffers(() => (times += 1))
  for (let i = 0; i < 15; i += 1) onBytes(MIB)
  await delay(5)
  t.equal(times, 0)
  for (let i = 0; i < 100; i += 1) onBytes(MIB)
  t.equal(times, 0)
  await delay(5)
  t.equal(times, 1)
  onBytes(15 * MIB)
  await delay(5)
  t.equal(times, 1)
  onBytes(MIB)
  await delay(5)
  t.equal(times, 2)
})

t.test('buffers that are dead are really gone after it, without a collection of the whole heap', async (t) => {
  const onBytes = youngBuffers()
  let most = 0
  for (let i = 0; i < 40; i += 1) {
    for (let k = 0; k < 256; k += 1) onBytes(Buffer.allocUnsafeSlow(16 * 1024).fill(k).length)
    await delay(1)
    if (i > 5) most = Math.max(most, process.memoryUsage().arrayBuffers)
  }
  t.ok(most < 48 * MIB, `160 MiB passed, ${Math.round(most / MIB)} MiB were held at most`)
})
