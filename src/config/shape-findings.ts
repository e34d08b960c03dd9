import type { ErrorObject } from 'ajv'
import { shownName, type Finding, type Path } from './problem.js'

/** Fields that are known elsewhere, and why not here. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['anonymous', 'access without a signature exists on http listeners of a loopback address and on unix sockets only'],
])

interface SchemaNode {
  readonly errorMessage?: string
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, unknown>>
}

/** The validator's errors as one clear line for each place. Values are never in them: they may be secrets. */
export function shapeFindings(errors: readonly ErrorObject[], document: unknown): readonly Finding[] {
  const findings = errors.map((error) => findingOf(error, document))
  const seen = new Set<string>()
  return findings.filter(({ at, message }) => {
    const line = JSON.stringify([at, message])
    if (seen.has(line)) return false
    seen.add(line)
    return true
  })
}

function findingOf(error: ErrorObject, document: unknown): Finding {
  const at = pathOf(error.instancePath, document)
  const schema = error.parentSchema as SchemaNode
  // An error of a node with a message of its own is told by that message, with the place of the node.
  if (schema.errorMessage !== undefined) return { at, message: schema.errorMessage }
  const params = error.params as Readonly<Record<string, unknown>>
  switch (error.keyword) {
    case 'required':
      return { at: [...at, String(params['missingProperty'])], message: 'is missing' }
    case 'additionalProperties': {
      const name = String(params['additionalProperty'])
      return { at: [...at, name], message: unknownField(name, Object.keys(schema.properties ?? {})) }
    }
    case 'type':
    case 'enum':
      return { at, message: error.data === null ? 'is empty' : expected(error.schema, schema) }
    case 'minItems':
      return { at, message: 'must have at least one entry' }
    case 'uniqueItems':
      return { at, message: 'has the same entry twice' }
    case 'minimum':
      return { at, message: `must be at least ${String(params['limit'])}` }
    case 'maximum':
      return { at, message: `must be at most ${String(params['limit'])}` }
    default:
      return { at, message: error.message ?? 'is not allowed' }
  }
}

/** A value outside of a list of values is often of another type as well: one line is enough for both. */
function expected(type: unknown, { enum: values }: SchemaNode): string {
  if (values !== undefined) return `must be one of: ${values.join(', ')}`
  return `must be ${TYPES.get(type) ?? 'of another type'}`
}

const TYPES: ReadonlyMap<unknown, string> = new Map([
  ['string', 'text (in quotes, where YAML would take it for something else)'],
  ['integer', 'a whole number, without quotes'],
  ['array', 'a list: entries that start with "- "'],
  ['object', 'a group of fields, indented below it'],
])

function unknownField(name: string, known: readonly string[]): string {
  const hint = HINTS.get(name)
  return `is not a field here; known are ${known.map(shownName).join(', ')}${hint === undefined ? '' : ` (${hint})`}`
}

/** A JSON pointer (RFC 6901) as a path; only the document tells an index from a member's name. */
function pathOf(pointer: string, document: unknown): Path {
  let value = document
  return pointer
    .split('/')
    .slice(1)
    .map((escaped) => {
      const name = escaped.replaceAll('~1', '/').replaceAll('~0', '~')
      const part = Array.isArray(value) ? Number(name) : name
      value = (value as Readonly<Record<string | number, unknown>> | undefined)?.[part]
      return part
    })
}
