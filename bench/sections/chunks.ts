import { fileURLToPath } from 'node:url'
import { type Bench, note } from '../bench.js'
import { outputOf } from '../child.js'
import type { ChunkVerification } from '../chunks.js'
import { KIB } from '../content.js'

/** Verification of signed chunks beside SHA-256 alone, under the proxy's node. */
export interface ChunkRow extends ChunkVerification {
  readonly chunkBytes: number
}

/** What AWS's SDKs send. */
const SIZES = [64 * KIB, 128 * KIB]

export async function measureChunks({ options }: Bench): Promise<readonly ChunkRow[]> {
  const rows: ChunkRow[] = []
  const file = new URL('../chunks.js', import.meta.url).href
  for (const chunkBytes of SIZES) {
    note(`verification of signed chunks of ${chunkBytes / KIB} KiB`)
    const script = `import(${JSON.stringify(file)})
      .then(({ measureChunkVerification }) => measureChunkVerification(${chunkBytes}))
      .then((measured) => console.log(JSON.stringify(measured)))`
    const said = await outputOf(options.node, ['--input-type=module', '-e', script])
    if (said.type === 'failed') throw new Error(`${fileURLToPath(file)}: ${said.reason}`)
    rows.push({ chunkBytes, ...(JSON.parse(said.text) as ChunkVerification) })
  }
  return rows
}
