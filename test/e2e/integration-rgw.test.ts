import t from 'tap'
import { startRgw } from '../support/rgw.js'
import { suiteAgainst } from './real-server.js'

// Ceph 16 answers 400 to a wrong key where AWS answers 403, and cannot copy SSE-C objects.
await suiteAgainst(t, await startRgw(), {
  copiesEncrypted: false,
  proof: 'answer',
  refusesOddKeys: false,
  refusals: [400],
})
