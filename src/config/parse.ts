import { buildConfig } from './build.js'
import { checkAudit } from './check-audit.js'
import { checkKeyrings } from './check-keyrings.js'
import { checkIdentities } from './check-identities.js'
import { checkListeners } from './check-listeners.js'
import { checkRules } from './check-rules.js'
import { checkDurations, checkEnvironment, checkFiles } from './check-surroundings.js'
import { checkUpstream } from './check-upstream.js'
import type { Files } from './files.js'
import { formatPath, type Finding, type Problem } from './problem.js'
import { checkShape } from './schema.js'
import { resolveSecrets, type SecretSource } from './secrets.js'
import { shapeFindings } from './shape-findings.js'
import type { Config } from './types.js'
import { viewOf } from './view.js'

/** What a configuration depends on besides its text. */
export interface ConfigContext extends SecretSource, Files {}

export type ConfigResult =
  | { readonly type: 'config'; readonly config: Config }
  | { readonly type: 'problems'; readonly problems: readonly Problem[] }

export type ConfigFindings =
  | { readonly type: 'config'; readonly config: Config }
  | { readonly type: 'findings'; readonly findings: readonly Finding[] }

/** A parsed document as a configuration, or every problem that it has. No message holds the value of a secret. */
export function parseConfig(value: unknown, context: ConfigContext): ConfigResult {
  const result = checkConfig(value, context)
  if (result.type === 'config') return result
  const problems = result.findings.map(({ at, message }) => ({ path: formatPath(at), message }))
  return { type: 'problems', problems }
}

/** As {@link parseConfig}, with places that can be looked up in the document. */
export function checkConfig(value: unknown, context: ConfigContext): ConfigFindings {
  const shape = checkShape(value)
  const document = shape.type === 'document' ? shape.document : shape.partial
  const wrong = shape.type === 'document' ? [] : shapeFindings(shape.errors, value)
  const view = viewOf(document, value, wrong)
  const secrets = resolveSecrets(view, context)
  const findings = [
    ...wrong,
    ...checkListeners(view),
    ...checkUpstream(view),
    ...secrets.findings,
    ...checkIdentities(view, secrets.texts),
    ...checkKeyrings(view),
    ...checkRules(view),
    ...checkAudit(view),
    ...checkDurations(view),
    ...checkFiles(view, context.kindOf, context.baseDirectory),
    ...checkEnvironment(context.env),
  ]
  if (shape.type === 'errors' || findings.length > 0) return { type: 'findings', findings }
  return { type: 'config', config: buildConfig(shape.document, secrets.texts, context.baseDirectory) }
}
