import t from 'tap'
import { startMinio } from '../support/minio.js'
import { suiteAgainst } from './real-server.js'

await suiteAgainst(t, await startMinio(), {
  copiesEncrypted: true,
  proof: 'read-back',
  refusesOddKeys: true,
  refusals: [400, 403],
})
