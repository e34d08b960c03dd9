import { type Document, type YAMLMap, isMap, isScalar, isSeq } from 'yaml'
import { type PodOptions, withAnnotations } from './inject-options.js'
import {
  INJECTED_LABEL,
  SIDECAR_NAME,
  type Variable,
  endpointVariables,
  sidecarContainer,
  sidecarVolume,
  signingVariables,
} from './sidecar.js'

type Path = readonly (string | number)[]

export interface PodOutcome {
  /** `left`: an annotation says so. */
  readonly type: 'injected' | 'left' | 'refused'
  /** What somebody has to know or, of a refused one, to mend. */
  readonly notes: readonly string[]
}

/**
 * Puts the sidecar into one pod, or brings the one that is there up to date.
 *
 * @param pod where its `metadata` and `spec` are
 * @param annotations of what makes the pod; the pod's own count more
 */
export function injectPod(
  document: Document,
  pod: Path,
  annotations: Readonly<Record<string, unknown>>,
  defaults: PodOptions,
): PodOutcome {
  const at = (...path: Path): Path => [...pod, ...path]
  const read = withAnnotations(defaults, { ...annotations, ...plainMap(document, at('metadata', 'annotations')) })
  if (read.type === 'problems') return { type: 'refused', notes: read.problems }
  const { options } = read
  if (!options.inject) return { type: 'left', notes: [`annotation ssec-proxy.io/inject: 'false'`] }
  const notes = problemsOf(document, at, options)
  if (notes.length > 0) return { type: 'refused', notes }

  put(document, at('spec', 'initContainers'), sidecarContainer(options), 'first')
  put(document, at('spec', 'volumes'), sidecarVolume(options), 'last')
  // `labels:` with nothing behind it is there and is no mapping
  for (const path of [at('metadata'), at('metadata', 'labels')]) {
    if (isNull(document.getIn(path, true))) document.setIn(path, document.createNode({}))
  }
  // a scalar of its own, so that it is text: `true` alone would be none
  document.setIn(at('metadata', 'labels', INJECTED_LABEL), 'true')
  return {
    type: 'injected',
    notes: [
      ...programs(document, at, options).flatMap((one) => give(document, one, options)),
      ...warnings(document, at),
    ],
  }
}

type At = (...path: Path) => Path

function problemsOf(document: Document, at: At, options: PodOptions): readonly string[] {
  const problems: string[] = []
  if (!isMap(document.getIn(at('spec')))) return ['spec: is missing']
  for (const path of [at('metadata'), at('metadata', 'labels')]) {
    const node = document.getIn(path, true)
    if (node !== undefined && !isMap(node) && !isNull(node)) problems.push(`${path.join('.')}: must be a mapping`)
  }
  for (const list of ['containers', 'initContainers', 'volumes']) {
    const node = document.getIn(at('spec', list), true)
    if (node === undefined || isNull(node)) continue
    if (!isSeq(node) || !node.items.every(isMap)) problems.push(`spec.${list}: must be a list of mappings`)
  }
  if (problems.length > 0) return problems
  const names = itemsOf(document, at('spec', 'containers')).map(nameOf)
  if (names.length === 0) problems.push('spec.containers: is missing')
  if (names.includes(SIDECAR_NAME)) problems.push(`spec.containers: one is called ${SIDECAR_NAME}; rename or remove it`)
  const init = itemsOf(document, at('spec', 'initContainers')).find((item) => nameOf(item) === SIDECAR_NAME)
  if (init !== undefined && init.get('restartPolicy') !== 'Always')
    problems.push(`spec.initContainers: one is called ${SIDECAR_NAME} and is no sidecar; rename or remove it`)
  const volume = itemsOf(document, at('spec', 'volumes')).find((item) => nameOf(item) === SIDECAR_NAME)
  if (volume?.has('projected') === false)
    problems.push(`spec.volumes: one is called ${SIDECAR_NAME} and holds something else; rename it`)
  if (document.getIn(at('spec', 'hostNetwork')) === true)
    problems.push("spec.hostNetwork: the sidecar's listener would be open to every program on the node")
  if (document.getIn(at('spec', 'os', 'name')) === 'windows') problems.push('spec.os: the image is for Linux')
  for (const name of options.containers === 'all' ? [] : options.containers) {
    const known = [...names, ...itemsOf(document, at('spec', 'initContainers')).map(nameOf)]
    if (!known.includes(name)) problems.push(`annotation ssec-proxy.io/containers: there is no container ${name}`)
  }
  for (const path of programs(document, at, options)) {
    const env = document.getIn([...path, 'env'], true)
    if (env !== undefined && !isNull(env) && !(isSeq(env) && env.items.every(isMap)))
      problems.push(`${path.slice(-3).join('.')}.env: must be a list of mappings`)
  }
  return problems
}

function warnings(document: Document, at: At): readonly string[] {
  return document.getIn(at('spec', 'shareProcessNamespace')) === true
    ? [
        "spec.shareProcessNamespace: the pod's other containers can read the proxy's keys if they run as root or as user 65532",
      ]
    : []
}

/** Where the containers are that speak to S3. */
function programs(document: Document, at: At, { containers }: PodOptions): readonly Path[] {
  return ['initContainers', 'containers'].flatMap((list) =>
    itemsOf(document, at('spec', list)).flatMap((item, index) => {
      const name = nameOf(item)
      const meant = name !== SIDECAR_NAME && (containers === 'all' || containers.includes(name))
      return meant ? [at('spec', list, index)] : []
    }),
  )
}

/** Gives a container its variables. @returns what was there before and is lost */
function give(document: Document, container: Path, options: PodOptions): readonly string[] {
  const env = [...container, 'env']
  const before = new Map(itemsOf(document, env).map((item) => [nameOf(item), item]))
  const notes: string[] = []
  for (const variable of endpointVariables(options)) {
    const old = before.get(variable.name)
    if (old !== undefined && !isSame(old, variable))
      notes.push(`${container.slice(-2).join('.')}: ${variable.name} had another value, which is replaced`)
    put(document, env, variable, 'last')
  }
  for (const group of signingVariables(options)) {
    const taken = group.some(({ name }) => {
      const old = before.get(name)
      return old !== undefined && !group.some((variable) => isSame(old, variable))
    })
    if (!taken) for (const variable of group) put(document, env, variable, 'last')
  }
  return notes
}

/** Puts an entry into a list, in place of the one with its name; leaves it where it is the same. */
function put(document: Document, list: Path, entry: unknown, where: 'first' | 'last'): void {
  const { name } = entry as Variable
  const items = itemsOf(document, list)
  const index = items.findIndex((item) => nameOf(item) === name)
  if (index >= 0) {
    if (!isSame(items[index] as YAMLMap, entry)) document.setIn([...list, index], document.createNode(entry))
    return
  }
  const node = document.getIn(list, true)
  // an empty list may be `[]`, in which an entry would be hard to read
  if (!isSeq(node) || node.items.length === 0) document.setIn(list, document.createNode([entry]))
  else if (where === 'last') node.items.push(document.createNode(entry))
  else node.items.unshift(document.createNode(entry))
}

const itemsOf = (document: Document, path: Path): readonly YAMLMap[] => {
  const node = document.getIn(path, true)
  return isSeq(node) ? node.items.filter(isMap) : []
}

const nameOf = (item: YAMLMap): string => {
  const name = item.get('name')
  return typeof name === 'string' ? name : ''
}

const isNull = (node: unknown): boolean => node === null || (isScalar(node) && node.value === null)

const isSame = (node: YAMLMap, value: unknown): boolean => canonical(node.toJSON()) === canonical(value)

/** Text that two values share exactly where they differ in the order of fields at most. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inside: unknown) =>
    typeof inside === 'object' && inside !== null && !Array.isArray(inside)
      ? Object.fromEntries(Object.entries(inside).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inside,
  )
}

/** A mapping in the document as a plain one; empty where there is none. */
export function plainMap(document: Document, path: Path): Readonly<Record<string, unknown>> {
  const node = document.getIn(path, true)
  return isMap(node) ? (node.toJSON() as Record<string, unknown>) : {}
}
