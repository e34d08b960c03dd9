/**
 * What a page of tables (report.ts) says, whatever its spacing and whichever versions the programs had: `upstream: setting`,
 * client and step → `yes`, or `no` with the reason in place of its number.
 */
export function cellsOf(page: string): ReadonlyMap<string, string> {
  const lines = page.split('\n')
  const notes = new Map(lines.flatMap((line) => [...line.matchAll(/^(\d+)\. (.*)$/g)].map(([, n, text]) => [n, text])))
  const cells = new Map<string, string>()
  let heading = ''
  let steps: readonly string[] = []
  for (const line of lines) {
    if (line.startsWith('## ')) [heading, steps] = [line.slice(3).trim(), []]
    if (!line.startsWith('|') || heading === '') continue
    const [first = '', ...rest] = line
      .slice(1, line.lastIndexOf('|'))
      .split('|')
      .map((cell) => cell.trim())
    if (steps.length === 0) steps = rest
    else if (!/^-+$/.test(first)) {
      const client = first.replace(/ v?\d\S*$/, '')
      for (const [index, cell] of rest.entries())
        if (cell !== '')
          cells.set(
            [heading, client, steps[index]].join(' | '),
            cell.replace(/\((\d+)\)$/, (_, n: string) => `(${notes.get(n) ?? '?'})`),
          )
    }
  }
  return cells
}
