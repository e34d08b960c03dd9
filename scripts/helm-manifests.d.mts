export function render(helm: string, chart: string, release: string, args?: readonly string[]): string
export function withConsumer<T>(use: (folder: string) => T): T
export function manifests(helm: string): Readonly<Record<string, string>>
