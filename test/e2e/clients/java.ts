import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runWell } from '../../support/run-program.js'
import type { Access, Client } from './client.js'
import { commandSession } from './command-program.js'
import { namesFor } from './resolve-names.js'

/** Where scripts/e2e-programs puts a folder of jars and classes for each version. */
const JAVA = fileURLToPath(new URL('../../../node_modules/.cache/ssec-proxy-e2e/java', import.meta.url))

/** A start of the JVM costs less so, and 20 MiB fit. */
const QUICK = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Xmx256m']

/** A version of the AWS SDK for Java, in a process that answers one command after the other. */
export function javaSdk(name: string, version: string, signature: 'v4' | 'v2' = 'v4'): Client {
  const folder = join(JAVA, version)
  const main = version.startsWith('1.') ? 'SdkV1' : 'SdkV2'
  return {
    name,
    missing: () =>
      existsSync(join(folder, 'classes', `${main}.class`))
        ? undefined
        : 'it is not built: scripts/e2e-programs builds it where there are a JDK and Maven',
    version: async () => `AWS SDK for Java ${version}`,
    limits: { 'second sync': 'has no sync' },
    styles: ['path', 'virtual-hosted'],
    open: async (access, own) =>
      commandSession(access, own, {
        name,
        program: 'java',
        args: [...QUICK, ...(await trust(access, own)), ...names(access, own), '-cp', classPath(folder), main],
        options: { signature },
      }),
  }
}

const classPath = (folder: string): string => [join(folder, 'classes'), join(folder, '*')].join(':')

/** A JVM trusts what is in a store of its own kind, which it is told of at its start. */
async function trust({ scheme, caFile }: Access, folder: string): Promise<string[]> {
  if (scheme === 'http') return []
  const store = join(folder, 'trust.p12')
  const password = 'only-certificates'
  await runWell('keytool', [
    ...['-importcert', '-noprompt', '-alias', 'ca', '-file', caFile],
    ...['-keystore', store, '-storetype', 'PKCS12', '-storepass', password],
  ])
  return [`-Djavax.net.ssl.trustStore=${store}`, `-Djavax.net.ssl.trustStorePassword=${password}`]
}

function names(access: Access, folder: string): string[] {
  const { NSS_WRAPPER_HOSTS } = namesFor(access, folder)
  return NSS_WRAPPER_HOSTS === undefined ? [] : [`-Djdk.net.hosts.file=${NSS_WRAPPER_HOSTS}`]
}
