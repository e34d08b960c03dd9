import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv, type ErrorObject } from 'ajv'
import type { ConfigDocument } from './document.js'

export type ShapeResult =
  | { readonly type: 'document'; readonly document: ConfigDocument }
  | {
      readonly type: 'errors'
      readonly errors: readonly ErrorObject[]
      /** The value with the schema's defaults where they found a place. */
      readonly partial: unknown
    }

/** The schema that editors complete by is the one that is checked: config/ of the package, beside src/ and dist/. */
export function readSchema(module: string = import.meta.url): object {
  const places = ['../../config/', '../../../config/'].map((up) =>
    fileURLToPath(new URL(`${up}ssec-proxy.schema.json`, module)),
  )
  const file = places.find((place) => existsSync(place))
  if (file === undefined) throw new Error(`the package is incomplete: none of ${places.join(', ')} is there`)
  return JSON.parse(readFileSync(file, 'utf8')) as object
}

/** Gives the check of a value against the schema, with defaults filled into a copy of it. */
export function schemaCheck(schema: object): (value: unknown) => ShapeResult {
  const ajv = new Ajv({ allErrors: true, verbose: true, useDefaults: true, strict: true, allowUnionTypes: true })
  ajv.addVocabulary(['errorMessage'])
  const validate = ajv.compile<ConfigDocument>(schema)
  return (value) => {
    const copy: unknown = structuredClone(value)
    if (validate(copy)) return { type: 'document', document: copy }
    return { type: 'errors', errors: validate.errors ?? [], partial: copy }
  }
}

/** Compiling takes longer than everything else here: it is done once, when it is first needed. */
let compiled: ReturnType<typeof schemaCheck> | undefined

/** The package's own schema, applied to one value. */
export function checkShape(value: unknown): ShapeResult {
  compiled ??= schemaCheck(readSchema())
  return compiled(value)
}
