import t from 'tap'
import { startRgw } from '../support/rgw.js'
import {
  BACKUP_TOOLS,
  FILE_TOOLS,
  OTHER_TOOLS,
  PYTHON_CLIENTS,
  rcloneOther,
  s3cmdV4,
  s3fsV4,
  SDKS,
} from './clients/all.js'
import { awsSdk } from './clients/aws-sdk.js'
import { runClients } from './run-clients.js'
import { usualSetting } from './settings.js'

const NO_COPY = 'radosgw 16 answers 501 to copies of objects with customer keys'

t.test('clients of Ceph radosgw', async (t) => {
  const started = await startRgw()
  if (started.type === 'unavailable') {
    t.comment(started.reason)
    return process.env['CI'] === undefined ? t.pass('', { skip: started.reason }) : t.fail(started.reason)
  }
  t.teardown(started.stop)
  const whole = [...PYTHON_CLIENTS(), s3cmdV4, rcloneOther, s3fsV4, awsSdk]
  const others = [...FILE_TOOLS, ...OTHER_TOOLS, ...SDKS].filter((client) => !whole.includes(client))
  await runClients(t, {
    upstream: started.server,
    // its ETags under SSE-C are the MD5 of the content, which clients may compare
    etag: 'passthrough',
    upstreamLimits: { copy: NO_COPY, 'copy of a large object': NO_COPY, rename: NO_COPY },
    clients: [
      ...whole.map((client) => ({ client, settings: [usualSetting(client)] })),
      ...others.map((client) => ({ client, settings: [usualSetting(client)], extent: 'short' as const })),
    ],
    backups: BACKUP_TOOLS,
  })
})
