import t from 'tap'
import { newRecord } from '../../src/proxy/record.js'
import type { ListenerInfo } from '../../src/proxy/handler.js'

const listener: ListenerInfo = { name: 'https', type: 'https', anonymous: 'none' }

t.test(
  'the time in which a customer key is waited for is counted, all attempts together, refused ones too',
  async (t) => {
    let now = 0
    const record = newRecord({ requestId: '1', remoteAddress: 'unix', method: 'GET' }, listener, () => now)
    t.equal(record.keyWaitMs, 0)
    const after = async <T>(ms: number, key: () => T): Promise<T> => {
      await Promise.resolve()
      now += ms
      return key()
    }
    t.equal(await record.waitForKey(after(3, () => 'key')), 'key')
    now += 100
    const away = () => {
      throw new Error('KMS is away')
    }
    await t.rejects(record.waitForKey(after(4, away)), /KMS is away/)
    t.equal(record.keyWaitMs, 7)
  },
)
