// Gathers what the client tests of a run found into one page, which scripts/run-tests.mjs prints.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { formatTables, keptResults } from '../e2e/report.js'
import { RECORD_VARIABLE } from '../support/record.js'

const HEAD = `# What each client did through the proxy

Written by \`npm run test:e2e\`. "yes": it worked, and what it stored lies at the upstream encrypted. The embedded
origin has random ETags, as AWS has under SSE-C; MinIO stands for stores that copy, which radosgw 16 does not do with
customer keys. Virtual-hosted style and plain http on loopback were tried with fewer object keys.
"at rest": with the upstream's own credentials every object is refused without its key, and opens with the key that is
worked out from the keyring file alone.

`

t.test('the table of clients', async (t) => {
  const folder = process.env[RECORD_VARIABLE]
  if (folder === undefined) return t.fail('there is no record of a run')
  const results = keptResults(folder)
  if (results.length > 0) writeFileSync(join(folder, 'clients.md'), HEAD + formatTables(results))
  const failed = results.filter(({ outcome }) => outcome.type === 'fails')
  t.equal(failed.length, 0, `${results.length} results, none of a failure`)
})
