import { join } from 'node:path'
import { freePorts } from '../../test/support/free-ports.js'
import { startProgram } from '../child.js'
import type { RivalName } from '../hop-names.js'
import type { Hop } from '../hops.js'
import { REGION } from '../requests.js'
import type { Workshop } from '../workshop.js'

type GoRival = Exclude<RivalName, 'nginx + njs'>

interface Chosen {
  readonly scheme: 'https' | 'http'
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const UPSTREAM = { accessKeyId: 'BENCHUPSTREAM', secretAccessKey: 'nobody looks at it' }

/** One core, as nginx and the proxy have; the upstream's CA by Go's own variable. */
export async function startGoRival(name: GoRival, command: string, workshop: Workshop, s3Port: number): Promise<Hop> {
  const [port = 0] = await freePorts(1)
  const { scheme, args, env = {} } = chosen(name, workshop, port, s3Port)
  const running = await startProgram(
    { name, command, args, logFile: join(workshop.folder, `${name}.log`), port },
    { env: { GOMAXPROCS: '1', SSL_CERT_FILE: workshop.caFile, ...env } },
  )
  return { name, port, scheme, running }
}

function chosen(name: GoRival, workshop: Workshop, port: number, s3Port: number): Chosen {
  const { accessKeyId, secretAccessKey, certFile, keyFile, folder } = workshop
  const listen = `127.0.0.1:${port}`
  switch (name) {
    // verifies the client's signature and signs anew
    case 'versitygw':
      return {
        scheme: 'https',
        args: [
          ...['--port', listen, '--access', accessKeyId, '--secret', secretAccessKey, '--region', REGION],
          ...['--cert', certFile, '--key', keyFile, '--quiet', '--keep-alive'],
          ...['--access-log', join(folder, 'versitygw-access.log')],
          ...['s3', '--endpoint', `https://localhost:${s3Port}`, '--region', REGION, '--use-path-style'],
          ...['--access', UPSTREAM.accessKeyId, '--secret', UPSTREAM.secretAccessKey],
          ...['--disable-checksum', '--disable-data-integrity-check'],
        ],
        // it does not start with a bundle of the machine's own, and would log a line for each answer without a checksum
        env: { AWS_CA_BUNDLE: '', AWS_RESPONSE_CHECKSUM_VALIDATION: 'when_required' },
      }
    // knows no TLS on its own side, and lends its credentials to whoever comes
    case 'aws-sigv4-proxy':
      return {
        scheme: 'http',
        args: [
          ...['--port', `:${port}`, '--name', 's3', '--region', REGION, '--host', `localhost:${s3Port}`],
          '--unsigned-payload',
        ],
        env: { AWS_ACCESS_KEY_ID: UPSTREAM.accessKeyId, AWS_SECRET_ACCESS_KEY: UPSTREAM.secretAccessKey },
      }
    // verifies the client's signature and signs anew
    case 'aws-s3-reverse-proxy':
      return {
        scheme: 'https',
        args: [
          ...[`--listen-addr=${listen}`, `--allowed-endpoint=localhost:${port}`, '--allowed-source-subnet=127.0.0.1/8'],
          ...[`--aws-credentials=${accessKeyId},${secretAccessKey}`, `--aws-region=${REGION}`],
          ...[`--upstream-endpoint=localhost:${s3Port}`, `--cert-file=${certFile}`, `--key-file=${keyFile}`],
        ],
      }
  }
}
