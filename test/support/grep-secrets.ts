import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SECRETS_FILE, type RegisteredSecret } from './record.js'

/** A secret that something printed. */
export interface Leak {
  readonly label: string
  /** How it was written, such as `base64`. */
  readonly form: string
  readonly where: string
}

/** What a secret may look like in text. Latin1: one character for each byte that was printed. */
function formsOf(secret: Buffer): readonly { readonly form: string; readonly text: string }[] {
  const hex = secret.toString('hex')
  const pairs = hex.match(/../g) ?? []
  return [
    { form: 'raw bytes', text: secret.toString('latin1') },
    // a string of latin1 characters that a log wrote as UTF-8
    { form: 'raw characters', text: Buffer.from(secret.toString('latin1'), 'utf8').toString('latin1') },
    { form: 'hex', text: hex },
    { form: 'HEX', text: hex.toUpperCase() },
    { form: 'hex with spaces', text: pairs.join(' ') },
    { form: 'hex with colons', text: pairs.join(':') },
    // JSON and util.inspect of a Buffer or an array, whose many layouts findSecrets makes one
    { form: 'numbers', text: [...secret].join(',') },
    { form: 'percent', text: encodeURIComponent(secret.toString('latin1')) },
    { form: 'percent of base64', text: encodeURIComponent(secret.toString('base64')) },
    ...base64Forms(secret),
  ]
}

/** base64 and base64url; also somewhere inside of longer text that was encoded, where only the middle is certain. */
function base64Forms(secret: Buffer): { form: string; text: string }[] {
  const alignments = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), secret])
      .toString('base64')
      .replace(/=+$/, '')
    // the first characters hold bits of what came before, the last one of what follows
    return encoded.slice([0, 2, 3][offset], (secret.length + offset) % 3 === 0 ? undefined : -1)
  })
  return alignments.flatMap((text) => [
    { form: 'base64', text },
    { form: 'base64url', text: text.replaceAll('+', '-').replaceAll('/', '_') },
  ])
}

const PREFIX = 8
/** Shorter than this, something would be found by chance. */
const SHORTEST_SECRET = 12

/** Every secret that a text holds, in any of its forms. `text` has one character (0 to 255) for each byte. */
export function findSecrets(text: string, secrets: readonly RegisteredSecret[], where: string): readonly Leak[] {
  const byPrefix = new Map<string, { label: string; form: string; text: string }[]>()
  for (const { label, bytes } of secrets) {
    const secret = Buffer.from(bytes, 'base64')
    if (secret.length < SHORTEST_SECRET) throw new Error(`${label}: too short to be looked for`)
    for (const form of formsOf(secret)) {
      const prefix = form.text.slice(0, PREFIX)
      byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), { label, ...form }])
    }
  }
  const found = new Map<string, Leak>()
  // as it is; lists of numbers in one layout; PEM without its lines, also where they are escaped
  for (const layout of [text, text.replace(/[\s,]+/g, ','), text.replace(/\\n|[\r\n]/g, '')]) {
    for (let at = 0; at + PREFIX <= layout.length; at++) {
      for (const form of byPrefix.get(layout.slice(at, at + PREFIX)) ?? []) {
        if (layout.startsWith(form.text, at)) {
          found.set(`${form.label} ${form.form}`, { label: form.label, form: form.form, where })
        }
      }
    }
  }
  return [...found.values()]
}

export interface Searched {
  readonly secrets: number
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
  readonly leaks: readonly Leak[]
}

/** Looks for every secret of a record, and for further ones, in every other file of it. */
export function searchRecord(folder: string, further: readonly RegisteredSecret[] = []): Searched {
  const lines = readFileSync(join(folder, SECRETS_FILE), 'utf8').split('\n')
  const entries = [...new Set(lines.filter((line) => line !== ''))].map((line) => JSON.parse(line) as RegisteredSecret)
  const secrets = [...entries, ...further]
  const files = readdirSync(folder).filter((name) => name !== SECRETS_FILE)
  const searched = files.map((name) => {
    const text = readFileSync(join(folder, name), 'latin1')
    return { name, bytes: text.length, leaks: findSecrets(text, secrets, name) }
  })
  return { secrets: secrets.length, files: searched, leaks: searched.flatMap(({ leaks }) => leaks) }
}
