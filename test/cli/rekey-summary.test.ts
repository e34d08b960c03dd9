import t from 'tap'
import { textSummary } from '../../src/cli/rekey-summary.js'
import { noCounts } from '../../src/rekey/outcome.js'
import { parseBucket } from '../../src/s3/names.js'

t.test('no object key and no answer of a store gets at the terminal', async (t) => {
  const text = textSummary({
    subject: {
      command: 'rekey',
      bucket: parseBucket('bucket'),
      prefix: '\x1b[2J',
      upstream: 'h:1',
      targets: ['main v1'],
    },
    dryRun: false,
    result: {
      counts: noCounts(),
      failures: new Map([['\u009b2J', '\x1b]0;owned\x07']]),
      end: { stopped: '\x1b[2Ja: \u202eb' },
    },
    remains: 'not looked at',
    requests: 1,
    seconds: 1,
  })
  t.match(text, 'Stopped: \\u{1b}[2Ja: \\u{202e}b\n')
  t.notMatch(text, /[^\P{C}\n]/u)
})
