// The integration tests again, on the embedded origin, with http-proxy's own pass (docs/adr/0007).
import { runFolders } from '../support/run-folder.js'

process.env['SSEC_PROXY_TEST_PASS'] = 'http-proxy'
await runFolders('integration')
