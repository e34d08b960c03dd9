import type { Test } from 'tap'
import { runWell } from '../support/run-program.js'
import {
  breakGlass,
  makeInstallation,
  removeInstallation,
  startProxy,
  type Installation,
  type RunningProxy,
} from '../support/running-proxy.js'
import type { S3Server } from '../support/server.js'
import type { Client, Limits } from './clients/client.js'
import { exerciseClient } from './exercise.js'
import { formatTables, keepResults, type Result } from './report.js'
import { accessFor, type Setting } from './settings.js'
import { recoveryHeaders, viewOf, type UpstreamView } from './upstream-view.js'

export interface ClientRun {
  readonly upstream: S3Server
  readonly upstreamLimits: Limits
  readonly etag: 'opaque' | 'passthrough'
  readonly clients: readonly {
    readonly client: Client
    readonly settings: readonly Setting[]
    readonly limits?: Limits
  }[]
}

/** Every client in each of its settings through one proxy, each with a bucket of its own. The first setting is the whole exercise. */
export async function runClients(t: Test, run: ClientRun): Promise<void> {
  const installation = await makeInstallation()
  t.teardown(() => removeInstallation(installation))
  const proxy = await startProxy(installation, { upstream: run.upstream, etag: run.etag, name: run.upstream.name })
  const view = viewOf(run.upstream)
  const results: Result[] = []
  for (const { client, settings, limits } of run.clients) {
    const version = await client.version()
    for (const [index, setting] of settings.entries()) {
      await t.test(`${client.name}, ${setting}, ${run.upstream.name}`, async (t) => {
        const bucket = `${client.name.replace(/[^a-z0-9]/gi, '').toLowerCase()}-${setting.replace(/[^a-z]/g, '')}`
        await view.makeBucket(bucket)
        const note = (result: Pick<Result, 'step' | 'outcome'>): void => {
          results.push({ upstream: run.upstream.name, client: version, setting, ...result })
          const { step, outcome } = result
          if (outcome.type === 'fails') t.fail(step, { error: outcome.error })
          else t.pass(outcome.type === 'works' ? step : `${step}: cannot be done: ${outcome.reason}`)
        }
        await exerciseClient({
          client,
          access: accessFor(setting, bucket, installation, proxy),
          upstreamLimits: { ...run.upstreamLimits, ...limits },
          extent: index === 0 ? 'whole' : 'short',
          fetch: async (url) => (await runWell('/usr/bin/curl', curlArguments(url, installation))).stdout,
          snapshot: async () =>
            new Map((await view.list(bucket)).map(({ objectKey, written }) => [objectKey, written])),
          inspect: async (expected) => {
            const problems = await atRestProblems({ view, bucket, expected, installation, proxy })
            note({
              step: 'at rest',
              outcome: problems.length === 0 ? { type: 'works' } : { type: 'fails', error: problems.join('; ') },
            })
          },
          record: (step, outcome) => note({ step, outcome }),
        })
      })
    }
  }
  view.close()
  keepResults(results)
  t.comment(`\n${formatTables(results)}`)
  await t.resolves(proxy.stop(), 'the proxy ends with exit code 0')
}

/** curl resolves *.localhost by itself, and any other name as it is told. */
const curlArguments = (url: string, { caFile }: Installation): string[] => [
  ...['--silent', '--show-error', '--fail', '--path-as-is', '--cacert', caFile],
  ...['--resolve', `${new URL(url).hostname}:${new URL(url).port}:127.0.0.1`, url],
]

interface AtRest {
  readonly view: UpstreamView
  readonly bucket: string
  /** objectKey → SHA-256 of its content; of objects that a client makes for itself nothing is known */
  readonly expected: ReadonlyMap<string, string>
  readonly installation: Installation
  readonly proxy: RunningProxy
}

/**
 * What is wrong with a bucket, seen at the upstream with the upstream's credentials: an object that is lost, that can be
 * read without its key, or that its key, worked out from the keyring file alone, does not open.
 */
async function atRestProblems({ view, bucket, expected, installation, proxy }: AtRest): Promise<string[]> {
  const problems: string[] = []
  const stored = (await view.list(bucket)).map(({ objectKey }) => objectKey)
  for (const objectKey of expected.keys()) if (!stored.includes(objectKey)) problems.push(`${objectKey} is not stored`)
  const opens = async (objectKey: string, headers: Readonly<Record<string, string>>, by: string): Promise<void> => {
    const found = await view.withKey(bucket, objectKey, headers).catch((error: unknown) => String(error))
    const wanted = expected.get(objectKey)
    if (wanted === undefined ? !/^[0-9a-f]{64}$/.test(found) : found !== wanted)
      problems.push(`${objectKey} does not open with ${by}: ${found}`)
  }
  for (const objectKey of stored) {
    const answer = await view.withoutKey(bucket, objectKey)
    if (answer !== 'refused') problems.push(`${objectKey} without its key: ${answer}`)
    await opens(objectKey, recoveryHeaders(installation.keyringFile, bucket, objectKey)[0]!, 'the derived key')
  }
  if (stored.length === 0) problems.push('nothing is stored')
  for (const objectKey of stored.filter((name) => !name.startsWith('plain/')).slice(0, 2)) {
    const [found] = await breakGlass(proxy.configFile, bucket, objectKey).catch((error: unknown) => {
      problems.push(String(error))
      return []
    })
    if (found !== undefined) await opens(objectKey, found.headers, '`keys headers`')
  }
  return problems
}
