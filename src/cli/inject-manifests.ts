import { type Document, isAlias, isMap, isSeq, parseDocument, visit } from 'yaml'
import { nestsTooDeep, parserMessage } from '../config/yaml.js'
import { type PodOutcome, injectPod, plainMap } from './inject-pod.js'
import type { PodOptions } from './inject-options.js'

/** One object of the input. */
export interface ObjectOutcome extends PodOutcome {
  /** `Deployment default/app` */
  readonly object: string
}

export interface Injected {
  /** The whole output; of no use where an object was refused. */
  readonly text: string
  readonly objects: readonly ObjectOutcome[]
}

type Path = readonly (string | number)[]

/** Group of the API and kind → where the pod is. */
const WORKLOADS: Readonly<Record<string, Path>> = {
  'core/Pod': [],
  'core/PodTemplate': ['template'],
  'core/ReplicationController': ['spec', 'template'],
  'apps/Deployment': ['spec', 'template'],
  'apps/StatefulSet': ['spec', 'template'],
  'apps/DaemonSet': ['spec', 'template'],
  'apps/ReplicaSet': ['spec', 'template'],
  'batch/Job': ['spec', 'template'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
}
const LISTS = [
  'core/List',
  'core/PodList',
  ...['Deployment', 'StatefulSet', 'DaemonSet'].map((kind) => `apps/${kind}List`),
]

/** Whether there can be a workload in a document: what certainly has none is not even parsed. */
const MENTIONED = new RegExp(
  `(?:kind["']?[ \\t]*:[ \\t]*|List)["']?(?:${[...Object.keys(WORKLOADS), ...LISTS].map((kind) => kind.split('/')[1]).join('|')})\\b`,
)

/** A manifest is some kilobytes; a bundle of all of a cluster some megabytes. */
const LARGEST = 32 * 1024 * 1024

/**
 * Puts the sidecar into every pod of a stream of manifests, YAML or JSON. Documents without one, and those in which
 * nothing had to change, are given back byte for byte. In the others comments and order stay; layout may change.
 */
export function injectManifests(input: string, defaults: PodOptions): Injected {
  if (input.length > LARGEST) {
    return { text: '', objects: [refused('input', ['is larger than 32 MiB'])] }
  }
  const objects: ObjectOutcome[] = []
  const chunks = split(input).map(({ text, line }) => {
    if (!MENTIONED.test(text)) return text
    const result = injectDocument(text, line, defaults)
    objects.push(...result.objects)
    return result.text
  })
  return { text: chunks.join(''), objects }
}

/** At the marks `---`, which nothing inside of a document can be. Each piece begins with its own mark. */
function split(input: string): readonly { readonly text: string; readonly line: number }[] {
  let line = 1
  return input.split(/^(?=---(?:[ \t\r\n]|$))/m).map((text) => {
    const piece = { text, line }
    line += text.split('\n').length - 1
    return piece
  })
}

function injectDocument(text: string, line: number, defaults: PodOptions): Injected {
  const bad = (note: string): Injected => ({ text, objects: [refused(`the document in line ${line}`, [note])] })
  if (nestsTooDeep(text)) return bad('nests too deep')
  const document = parseDocument(text, { version: '1.2', prettyErrors: false, logLevel: 'error' })
  const [error] = [...document.errors, ...document.warnings]
  if (error !== undefined) {
    const at = line + text.slice(0, error.pos[0]).split('\n').length - 1
    return bad(`is no valid YAML: line ${at}: ${parserMessage(error.code)}`)
  }
  if (!isMap(document.contents)) return { text, objects: [] }
  if (hasAliases(document)) {
    return findPods(document, []).length === 0
      ? { text, objects: [] }
      : bad('has anchors and aliases, so a change in one place would be one in others: write them out')
  }
  const before = JSON.stringify(document.toJS())
  const objects = findPods(document, []).map((found) => injectObject(document, found, defaults))
  const unchanged = JSON.stringify(document.toJS()) === before
  return { text: unchanged ? text : print(document, text), objects }
}

interface FoundPod {
  /** Where the object is. */
  readonly at: Path
  /** Where in it the pod is. */
  readonly pod: Path
}

/** The workloads in a document: itself, or the items of a list. */
function findPods(document: Document, at: Path): readonly FoundPod[] {
  const kind = kindAt(document, at)
  const pod = Object.hasOwn(WORKLOADS, kind) ? WORKLOADS[kind] : undefined
  if (pod !== undefined) return [{ at, pod }]
  const items = at.length === 0 && LISTS.includes(kind) ? document.getIn(['items'], true) : undefined
  return isSeq(items) ? items.items.flatMap((_, index) => findPods(document, ['items', index])) : []
}

/** `apps/Deployment`, whatever the version. */
function kindAt(document: Document, at: Path): string {
  if (!isMap(document.getIn(at, true)) && at.length > 0) return 'none'
  const version = document.getIn([...at, 'apiVersion'])
  const kind = document.getIn([...at, 'kind'])
  const [first = '', second] = typeof version === 'string' ? version.split('/') : []
  return `${second === undefined && first === 'v1' ? 'core' : first}/${typeof kind === 'string' ? kind : ''}`
}

function injectObject(document: Document, { at, pod }: FoundPod, defaults: PodOptions): ObjectOutcome {
  const text = (...path: Path): string => {
    const value = document.getIn([...at, ...path])
    return typeof value === 'string' ? value : ''
  }
  const namespace = text('metadata', 'namespace')
  const name = text('metadata', 'name') || text('metadata', 'generateName') || 'without a name'
  const object = `${text('kind')} ${namespace === '' ? '' : `${namespace}/`}${name}`
  for (let length = 0; length <= pod.length; length += 1) {
    const path = [...at, ...pod.slice(0, length)]
    if (path.length > 0 && !isMap(document.getIn(path, true)))
      return refused(object, [`${pod.slice(0, length).join('.')}: must be a mapping`])
  }
  const annotations = pod.length === 0 ? {} : plainMap(document, [...at, 'metadata', 'annotations'])
  return { object, ...injectPod(document, [...at, ...pod], annotations, defaults) }
}

function hasAliases(document: Document): boolean {
  let found = false
  visit(document, {
    Node(_, node) {
      if (!isAlias(node) && node.anchor === undefined) return undefined
      found = true
      return visit.BREAK
    },
  })
  return found
}

/** In the manner of what it was: JSON stays JSON, lists stay as far in as they were. */
function print(document: Document, text: string): string {
  if (/^\s*\{/.test(text)) return `${JSON.stringify(document.toJS(), null, 2)}\n`
  const printed = document.toString({
    lineWidth: 0,
    indentSeq: !/^( *)[^\s#][^\n]*:[ \t]*\r?\n\1- /m.test(text),
    directives: /^---/.test(text),
  })
  // a mark that follows needs a line of its own
  const ended = printed.endsWith('\n') ? printed : `${printed}\n`
  return text.includes('\r\n') ? ended.replace(/\r?\n/g, '\r\n') : ended
}

const refused = (object: string, notes: readonly string[]): ObjectOutcome => ({ type: 'refused', object, notes })
