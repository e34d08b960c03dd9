import { ORIGIN_ACCESS_KEY_ID, type QuickstartPorts, BUCKET, REGION, prepareFolder } from './folder.js'
import { type Origin, startOrigin } from '../origin/start-origin.js'
import { StartError, faultOf } from '../server/start-error.js'
import type { CliIo } from '../cli/io.js'
import { type RunWorld, runProxy } from '../run-proxy.js'
import { kmsOverSdk } from '../kms-over-sdk.js'
import { openConfiguration, openerOf } from '../cli/serve.js'
import { pasteable } from './commands.js'
import { selfCheck } from './self-check.js'

/**
 * Everything on this machine: an embedded S3 over TLS, the proxy in front of it, a check of both, and commands to go on
 * with. Objects live as long as the process; keys, certificates and secrets are kept in the folder.
 *
 * @returns the exit code
 */
export async function quickstart(
  folder: string,
  ports: QuickstartPorts,
  io: CliIo,
  world: Pick<RunWorld, 'stop' | 'onReload' | 'version'>,
): Promise<number> {
  const made = prepareFolder(folder, ports, io)
  const kms = kmsOverSdk(io)
  const opened = await openConfiguration(made.config, io, kms)
  if (opened === 'wrong') return 1
  const origin = await openOrigin(made, ports)
  const stopping = new AbortController()
  const stop = () => Promise.race([world.stop(), aborted(stopping.signal)])
  try {
    let announce: () => void = () => undefined
    const ready = new Promise<void>((resolve) => {
      announce = resolve
    })
    const proxy = runProxy(opened.config, opened.keyrings, {
      ...io,
      ...world,
      source: opened.source,
      seen: opened.seen,
      opener: openerOf(io, kms),
      keyringEvents: kms.listen,
      stop,
      onReady: announce,
    })
    await Promise.race([ready, proxy])
    io.stdout(`ssec-proxy quickstart\n\n  proxy   https://localhost:${ports.proxy}   (bucket ${BUCKET})\n`)
    io.stdout(`  S3      https://localhost:${ports.origin}   (embedded, in memory)\n  files   ${folder}\n\n`)
    const seen = await selfCheck(made, ports, io)
    for (const { good, line } of seen) io.stdout(`  ${good ? 'ok  ' : 'FAIL'}  ${line}\n`)
    const good = seen.every((each) => each.good)
    io.stdout(good ? `\n${pasteable(made, ports)}\nCtrl-C ends it.\n` : '\nThe self-check failed.\n')
    if (!good) stopping.abort()
    await proxy
    return good ? 0 : 1
  } finally {
    kms.close()
    await origin.close()
  }
}

async function openOrigin(made: ReturnType<typeof prepareFolder>, ports: QuickstartPorts): Promise<Origin> {
  try {
    return await startOrigin({
      certificate: made.originCertificate.cert,
      key: made.originCertificate.key,
      credentials: [{ accessKeyId: ORIGIN_ACCESS_KEY_ID, secretAccessKey: made.originSecret }],
      port: ports.origin,
      region: REGION,
      buckets: [BUCKET],
    })
  } catch (cause) {
    throw new StartError(`embedded S3 on 127.0.0.1:${ports.origin}: ${faultOf(cause)} (--origin-port)`, cause)
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
