import { SaxesParser } from 'saxes'
import { Refusal } from './refusal.js'

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
}

/** Escapes text for an element; S3 escapes the quotes of ETags as `&quot;` too. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (char) => ENTITIES[char] ?? char)
}

/** One element around text that is escaped here. */
export function leaf(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeXml(String(text))}</${name}>`
}

/** One element around markup that is finished. */
export function branch(name: string, ...children: readonly string[]): string {
  return `<${name}>${children.join('')}</${name}>`
}

/** A whole document of S3's namespace. */
export function document(root: string, ...children: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${children.join('')}</${root}>`
}

/** An element of a request's document: its direct text and its children. */
export interface XmlNode {
  readonly name: string
  readonly text: string
  readonly children: readonly XmlNode[]
}

interface OpenNode {
  readonly name: string
  text: string
  readonly children: OpenNode[]
}

/** Parses a request's document, whose root must have the given name. @throws Refusal MalformedXML */
export function parseDocument(bytes: Buffer, root: string): XmlNode {
  const top: OpenNode = { name: '', text: '', children: [] }
  const open: OpenNode[] = [top]
  const parser = new SaxesParser()
  parser.on('opentag', (tag) => {
    const node: OpenNode = { name: tag.name.replace(/^.*:/, ''), text: '', children: [] }
    open.at(-1)?.children.push(node)
    open.push(node)
  })
  parser.on('closetag', () => {
    open.pop()
  })
  const addText = (text: string): void => {
    const node = open.at(-1)
    if (node !== undefined) node.text += text
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('error', () => {
    throw new Refusal('MalformedXML')
  })
  parser.write(bytes.toString('utf8')).close()
  const found = top.children[0]
  if (found?.name !== root) throw new Refusal('MalformedXML')
  return found
}

/** The children of that name. */
export function childrenOf(node: XmlNode, name: string): readonly XmlNode[] {
  return node.children.filter((child) => child.name === name)
}

/** The text of the first child of that name, `''` where there is none. */
export function textOf(node: XmlNode, name: string): string {
  return node.children.find((child) => child.name === name)?.text ?? ''
}
