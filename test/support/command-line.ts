import { randomBytes } from 'node:crypto'
import { runCommandLine, type CommandWorld } from '../../src/cli/main.js'
import { testCertificates } from './certificates.js'
import { ORIGIN_CREDENTIALS } from './origin.js'
import { registerSecret } from './record.js'

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Around {
  readonly terminal: CommandWorld['terminal']
  readonly stop: () => Promise<void>
  readonly now: () => Date
}

/** Runs one command in this process. */
export async function commandLine(args: readonly string[], around: Partial<Around> = {}): Promise<Said> {
  const { terminal = 'none', stop = () => new Promise<void>(() => undefined), now = () => new Date() } = around
  const out: string[] = []
  const err: string[] = []
  const io = {
    stdout: (text: string) => void out.push(text),
    stderr: (text: string) => void err.push(text),
    env: {},
    now,
    randomBytes: (size: number) => randomBytes(size),
  }
  const code = await runCommandLine(args, io, { terminal, stop, onReload: () => undefined }, '1.2.3')
  return { code, out: out.join(''), err: err.join('') }
}

/** The files that {@link proxyDocument} names, but for keyrings: for `t.testdir`, or to be written one by one. */
export function proxyFiles(): Readonly<Record<string, string>> {
  registerSecret('upstream', ORIGIN_CREDENTIALS.secretAccessKey)
  return {
    'ca.crt': testCertificates().authority.cert,
    'proxy.crt': testCertificates().leaf.cert,
    'proxy.key': testCertificates().leaf.key,
    secret: ORIGIN_CREDENTIALS.secretAccessKey,
  }
}

/** A configuration over an embedded origin, to be written as YAML: without keyrings and rules, which `more` brings. */
export const proxyDocument = (originPort: number, upstream: object = {}, more: object = {}): object => ({
  listeners: [{ https: { port: 0, cert: 'proxy.crt', key: 'proxy.key' } }],
  upstream: {
    endpoint: `https://localhost:${originPort}`,
    region: 'us-east-1',
    ca: 'ca.crt',
    credentials: { accessKeyId: ORIGIN_CREDENTIALS.accessKeyId, secretAccessKey: { file: 'secret' } },
    ...upstream,
  },
  identities: [
    {
      name: 'app',
      accessKeyId: 'APP',
      secretAccessKey: { file: 'secret' },
      grants: [{ bucket: '*', permissions: ['read'] }],
    },
  ],
  ...more,
})
