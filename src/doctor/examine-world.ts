import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import type { UpstreamConfig } from '../config/types.js'
import type { ExamineWorld } from './examine.js'
import { lookAtTls } from './look-at-tls.js'

/** The name service and TLS of this machine, verified by the configuration's CAs. */
export function examineWorld(
  { ca }: Pick<UpstreamConfig, 'ca'>,
  { now, randomBytes }: Pick<ExamineWorld, 'now' | 'randomBytes'>,
): ExamineWorld {
  const trusted = ca.type === 'system' ? 'system' : readFileSync(ca.file, 'utf8')
  return {
    now,
    randomBytes,
    lookUp: async (hostname) => (await lookup(hostname, { all: true })).map(({ address }) => address),
    tls: (hostname, port) => lookAtTls(hostname, port, trusted),
  }
}
