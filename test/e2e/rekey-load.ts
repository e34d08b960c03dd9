import { setTimeout as delay } from 'node:timers/promises'
import { hashOf, type KeepAliveClient } from './keep-alive-client.js'
import { contentOf } from './rekey-objects.js'
import { sha256 } from '../support/s3-client.js'

export interface Load {
  readonly errors: readonly string[]
  /** requests so far */
  done(): number
  /** SHA-256 of what was written last, or `deleted`. */
  readonly state: ReadonlyMap<string, string>
  stop(): Promise<void>
}

/**
 * Clients at work: two read what nobody writes, two write, read back and delete objects of their own. Each answer that is
 * not the expected one is an error.
 */
export function startLoad(
  client: KeepAliveClient,
  bucket: string,
  { still, own }: { readonly still: ReadonlyMap<string, string>; readonly own: readonly string[] },
): Load {
  const errors: string[] = []
  const state = new Map<string, string>()
  let isRunning = true
  let requests = 0
  const names = [...still.keys()]
  const loop = async (pauseMs: number, turnOf: (turn: number) => Promise<void>): Promise<void> => {
    for (let turn = 0; isRunning; turn += 1) {
      await turnOf(turn).catch((error: unknown) => void errors.push(String(error)))
      await delay(pauseMs)
    }
  }
  const expect = async (objectKey: string, method: string, expected: string, body?: Buffer): Promise<void> => {
    const answer = await client.call(method, bucket, objectKey, body === undefined ? {} : { body })
    requests += 1
    const found = method === 'GET' && answer.status === 200 ? hashOf(answer) : String(answer.status)
    if (found !== expected) errors.push(`${method} ${JSON.stringify(objectKey)}: ${answer.status} ${answer.code}`)
  }
  const reader = (which: number) =>
    loop(10, async (turn) => {
      const objectKey = names[((turn * 2 + which) * 7919) % names.length] ?? ''
      await expect(objectKey, 'GET', still.get(objectKey) ?? '')
    })
  const writer = (which: number) =>
    loop(10, async (turn) => {
      const mine = own.filter((_, i) => i % 2 === which)
      const objectKey = mine[turn % mine.length] ?? ''
      if (turn % 7 === 6) {
        await expect(objectKey, 'DELETE', '204')
        state.set(objectKey, 'deleted')
        await expect(objectKey, 'GET', '404')
        return
      }
      const body = contentOf(`${objectKey} ${turn}`, 1 + (turn % 3000))
      await expect(objectKey, 'PUT', '200', body)
      state.set(objectKey, sha256(body))
      await expect(objectKey, 'GET', sha256(body))
    })
  const loops = [reader(0), reader(1), writer(0), writer(1)]
  return {
    errors,
    state,
    done: () => requests,
    stop: async () => {
      isRunning = false
      await Promise.all(loops)
    },
  }
}
