import t from 'tap'
import { contract } from '../contract/contract.js'
import { startRgw } from '../support/rgw.js'

t.setTimeout(600_000)

t.test('Ceph 16 answers as it did when it was measured', async (t) => {
  const started = await startRgw()
  if (started.type === 'unavailable') {
    t.comment(`not run: ${started.reason}`)
    return
  }
  t.teardown(started.stop)
  await contract(t, started.server)
})
