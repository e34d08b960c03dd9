import t from 'tap'
import { contract } from '../contract/contract.js'
import { startMinio } from '../support/minio.js'

t.setTimeout(600_000)

t.test('MinIO answers as it did when it was measured', async (t) => {
  const started = await startMinio()
  if (started.type === 'unavailable') {
    t.comment(`not run: ${started.reason}`)
    return
  }
  t.teardown(started.stop)
  await contract(t, started.server)
})
