import t from 'tap'
import { contract } from '../contract/contract.js'
import { originServer, startTestOrigin } from '../support/origin.js'

t.test('the embedded origin answers as AWS does', async (t) => {
  const origin = await startTestOrigin({ plainPort: 0 })
  t.teardown(() => origin.close())
  await contract(t, originServer(origin))
})
