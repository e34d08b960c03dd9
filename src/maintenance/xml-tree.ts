import { S3Error } from '../s3/error.js'
import { readXml } from '../s3/xml-document.js'
import { MaintenanceError } from './error.js'

/** An element of an answer; names as they are written, without attributes. */
export interface XmlElement {
  readonly name: string
  readonly children: readonly XmlElement[]
  /** the character data that is directly in it */
  readonly text: string
}

interface Growing {
  readonly name: string
  readonly children: Growing[]
  text: string
}

/** An answer's document. @throws MaintenanceError where it is not the document with this root */
export function readTree(bytes: Buffer, root: string): XmlElement {
  const path: Growing[] = [{ name: '', children: [], text: '' }]
  try {
    readXml(bytes, {
      open: (name) => {
        const element = { name, children: [], text: '' }
        path.at(-1)?.children.push(element)
        path.push(element)
      },
      text: (text) => {
        const element = path.at(-1)
        if (element !== undefined) element.text += text
      },
      close: () => void path.pop(),
    })
  } catch (cause) {
    if (!(cause instanceof S3Error)) throw cause
    throw new MaintenanceError(`the upstream's answer is not the ${root} that was asked for`, { cause })
  }
  const top = path[0]?.children[0]
  if (top?.name === root) return top
  throw new MaintenanceError(`the upstream's answer is not the ${root} that was asked for`)
}

export const childrenOf = (element: XmlElement, name: string): readonly XmlElement[] =>
  element.children.filter((child) => child.name === name)

/** The text of the first child of that name; `''` where there is none. */
export const textOf = (element: XmlElement, name: string): string =>
  element.children.find((child) => child.name === name)?.text ?? ''
