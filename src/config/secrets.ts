import { resolve } from 'node:path'
import { failureReason, type Files } from './files.js'
import { formatPath, type Finding, type Path } from './problem.js'
import type { Pattern, View } from './view.js'
import { isAccessKeyId } from '../sigv4/access-key-id.js'

/** Where references to secrets lead. */
export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readText: Files['readText']
  readonly baseDirectory: string
}

/** Resolved texts by the formatted path of the field that they stand for. */
export type ResolvedTexts = ReadonlyMap<string, string>

const PATTERNS: readonly Pattern[] = [
  ['identities', '*', 'accessKeyId'],
  ['identities', '*', 'secretAccessKey'],
  ...[
    ['upstream', 'credentials'],
    ['identities', '*', 'upstreamCredentials'],
    ['keyrings', '*', 'kms', 'credentials'],
  ].flatMap((place) => ['accessKeyId', 'secretAccessKey', 'sessionToken'].map((name) => [...place, name])),
]

/** No environment, mounted secret or token is longer; a wrong file may be. */
const LONGEST = 16_384

/**
 * Follows every reference to a secret. The messages repeat neither a value nor the name in the reference: whoever
 * writes the secret itself there, by mistake, must not find it in a log.
 */
export function resolveSecrets(
  view: View,
  source: SecretSource,
): { texts: ResolvedTexts; findings: readonly Finding[] } {
  const texts = new Map<string, string>()
  const findings: Finding[] = []
  for (const { at, value } of PATTERNS.flatMap((pattern) => view.values(pattern))) {
    const result = typeof value === 'string' ? { type: 'text' as const, text: value } : follow(value, source)
    if (result.type === 'text') texts.set(formatPath(at), result.text)
    else findings.push({ at: [...at, ...result.below], message: result.message })
    if (result.type === 'text' && at.at(-1) === 'accessKeyId' && !isAccessKeyId(result.text)) {
      findings.push({ at, message: 'must be 3 to 128 visible characters, without a comma or a slash' })
    }
  }
  return { texts, findings }
}

type Followed =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'problem'; readonly below: Path; readonly message: string }

function follow(reference: unknown, { env, readText, baseDirectory }: SecretSource): Followed {
  const { env: name, file } = reference as { readonly env?: string; readonly file?: string }
  if (name !== undefined) {
    const text = Object.hasOwn(env, name) ? env[name] : undefined
    if (text === undefined) return problem('env', 'no environment variable of this name is set')
    return usable(text, 'env', 'the environment variable')
  }
  try {
    const text = readText(resolve(baseDirectory, file ?? ''))
    return usable(text.replace(/\r?\n$/, ''), 'file', 'the file')
  } catch (error) {
    return problem('file', `cannot be read: ${failureReason(error)} (looked for from ${baseDirectory})`)
  }
}

function usable(text: string, below: string, what: string): Followed {
  if (text.trim() === '') return problem(below, `${what} is empty`)
  if (text.length > LONGEST) return problem(below, `${what} is too long for a secret`)
  if (/[\r\n]/.test(text)) return problem(below, `${what} has more than one line`)
  if (text.trim() !== text) return problem(below, `${what} has white space before or after the value`)
  if (/\p{Cc}|\ufffd/u.test(text)) return problem(below, `${what} holds control characters or is not text`)
  return { type: 'text', text }
}

const problem = (below: string, message: string): Followed => ({ type: 'problem', below: [below], message })
