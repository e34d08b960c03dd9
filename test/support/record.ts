import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

/** Names the folder in which scripts/run-tests.mjs collects what a run of tests knows and what it prints. */
export const RECORD_VARIABLE = 'SSEC_PROXY_TEST_RECORD'

/** In the record: one JSON object a line, {@link RegisteredSecret}. */
export const SECRETS_FILE = 'secrets.jsonl'

export interface RegisteredSecret {
  /** What it is, for the report; never the secret itself. */
  readonly label: string
  /** base64 of its bytes */
  readonly bytes: string
}

/**
 * Notes a secret that nothing may print: the end of the run looks for it in everything that was printed. Text is noted as
 * its UTF-8. Without a record (one test file started by hand) there is nothing to note it in.
 */
export function registerSecret(label: string, secret: Buffer | string): void {
  const folder = process.env[RECORD_VARIABLE]
  if (folder === undefined) return
  const entry: RegisteredSecret = { label, bytes: Buffer.from(secret as string).toString('base64') }
  appendFileSync(join(folder, SECRETS_FILE), `${JSON.stringify(entry)}\n`, { mode: 0o600 })
}

/** Every key in the text of a keyring file. */
export function registerKeyring(label: string, keyringFile: string): void {
  for (const [, key = ''] of keyringFile.matchAll(/"key":\s*"([^"]+)"/g)) {
    registerSecret(label, Buffer.from(key, 'base64'))
  }
}

/** Where the output of something goes that is not printed, so that it is searched too; `other` without a record. */
export function transcript(name: string, other: string): string {
  const folder = process.env[RECORD_VARIABLE]
  return folder === undefined ? other : join(folder, `${name}.${process.pid}.log`)
}
