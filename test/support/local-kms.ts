import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { goProgram } from './go-program.js'
import { startPlainServer, type StartedServer } from './plain-server.js'

const MODULE = 'github.com/nsmithuk/local-kms@latest'

/** A key of kms-mac whose bytes are known: 00 01 … 1f. */
export const GOLDEN_KEY = {
  alias: 'alias/golden',
  bytes: Buffer.from(Array.from({ length: 32 }, (_, i) => i)),
} as const

/** Starts local-kms, another server of KMS's protocol than moto, with {@link GOLDEN_KEY} in it. */
export async function startLocalKms(): Promise<StartedServer> {
  const program = await goProgram(MODULE)
  if (program.type === 'none') return { type: 'unavailable', reason: program.reason }
  const folder = await mkdtemp(join(tmpdir(), 'local-kms-'))
  const seed = join(folder, 'seed.yaml')
  const id = '01234567-89ab-cdef-0123-456789abcdef'
  const Metadata = { KeyId: id, KeyUsage: 'GENERATE_VERIFY_MAC', KeySpec: 'HMAC_256' }
  const document = {
    Keys: { Symmetric: { Hmac: [{ Metadata, BackingKeys: [GOLDEN_KEY.bytes.toString('hex')] }] } },
    Aliases: [{ AliasName: GOLDEN_KEY.alias, TargetKeyId: id }],
  }
  await writeFile(seed, stringify(document))
  const server = await startPlainServer(program.path, (port) => ({
    args: [],
    env: {
      PORT: String(port),
      KMS_SEED_PATH: seed,
      KMS_DATA_PATH: join(folder, 'data'),
      KMS_REGION: 'eu-central-1',
    },
  }))
  const stop = async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { ...server, stop }
}
