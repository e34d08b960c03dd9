import { View, parse, resetSVGDefIds } from 'vega'
import { type TopLevelSpec, compile } from 'vega-lite'

/** A plot as SVG text: the same text for the same specification, on any machine. */
export async function draw(specification: TopLevelSpec): Promise<string> {
  resetSVGDefIds()
  const { spec } = compile(specification)
  const view = new View(parse(spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}
