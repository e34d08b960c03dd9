// The tests of the transport again, with http-proxy's own pass in place of ours (docs/adr/0007).
import { runFiles } from '../support/run-folder.js'

process.env['SSEC_PROXY_TEST_PASS'] = 'http-proxy'
await runFiles(
  'upstream/agents',
  'upstream/body-pump',
  'upstream/exchange',
  'upstream/final-request',
  'upstream/http-proxy-transport',
)
