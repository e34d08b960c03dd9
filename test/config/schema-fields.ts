/** One field of the schema. Items of lists are `[]`; what several fields share is told once, as `<reference>.env`. */
export interface SchemaField {
  readonly path: string
  readonly node: SchemaNode
  readonly required: boolean
}

export interface SchemaNode {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly required?: readonly string[]
  readonly definitions?: Readonly<Record<string, SchemaNode>>
  readonly pattern?: string
  readonly errorMessage?: string
  readonly additionalProperties?: boolean
}

const SHARED: Readonly<Record<string, string>> = {
  '#/definitions/secret': '<reference>',
  '#/definitions/accessKeyId': '<reference>',
  '#/definitions/credentials': '<credentials>',
}

export function schemaFields(schema: SchemaNode): readonly SchemaField[] {
  const shared = Object.entries(SHARED).flatMap(([ref, path]) => below(target(schema, ref), path, schema))
  const all = [...below(schema, '', schema), ...shared]
  return [...new Map(all.map((field) => [field.path, field])).values()]
}

function below(node: SchemaNode, path: string, schema: SchemaNode): readonly SchemaField[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([name, child]): readonly SchemaField[] => {
    const at = path === '' ? name : `${path}.${name}`
    return [{ path: at, node: child, required: node.required?.includes(name) ?? false }, ...into(child, at, schema)]
  })
  return node.items === undefined ? own : [...own, ...into(node.items, `${path}[]`, schema)]
}

function into(node: SchemaNode, path: string, schema: SchemaNode): readonly SchemaField[] {
  if (node.$ref === undefined) return below(node, path, schema)
  return node.$ref in SHARED ? [] : below(target(schema, node.$ref), path, schema)
}

function target(schema: SchemaNode, ref: string): SchemaNode {
  return schema.definitions![ref.replace('#/definitions/', '')]!
}

/** A path of a document as {@link schemaFields} writes it. */
export function fieldOf(path: readonly (string | number)[]): string {
  const text = path.reduce<string>(
    (before, part) => (/^\d+$/.test(String(part)) ? `${before}[]` : before === '' ? String(part) : `${before}.${part}`),
    '',
  )
  return text
    .replace(/^.*(?:credentials|upstreamCredentials)\.(?=.)/, '<credentials>.')
    .replace(/^.*(?:accessKeyId|secretAccessKey|sessionToken)\.(?=.)/, '<reference>.')
}
